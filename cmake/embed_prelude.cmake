# SPDX-License-Identifier: MIT
# cmake -DOUT=FILE.c -DDIR=FOLDER -P embed_prelude.cmake: writes DIR/*.goost as the table that runtime/prelude.h declares.
# Bytes are written as character constants: a string literal that long is not portable C, and a number above 127
# does not fit a char.
file(GLOB sources "${DIR}/*.goost")
list(SORT sources)

set(arrays "")
set(rows "")
set(count 0)
foreach(source IN LISTS sources)
    get_filename_component(name "${source}" NAME)
    file(READ "${source}" hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR bytes "${digits} / 2")
    string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
    string(APPEND arrays "static const char text_${count}[] = {\n${hex}'\\0'};\n")
    string(APPEND rows "    {\"${name}\", text_${count}, ${bytes}},\n")
    math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
    set(rows "    {\"\", \"\", 0},\n") # C has no empty array; the count says that it is not there
endif()

file(WRITE "${OUT}" "/* Made from runtime/prelude by cmake/embed_prelude.cmake. */
#include \"runtime/prelude.h\"

${arrays}
const struct gs_prelude_file gs_prelude_files[] = {
${rows}};
const size_t gs_prelude_nfiles = ${count};
")
