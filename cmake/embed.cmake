# SPDX-License-Identifier: MIT
# cmake -DOUT=FILE.c -DDIR=FOLDER -DENDINGS=.a,.b -DHEADER=FILE.h -DTABLE=NAME -P embed.cmake: writes the files of FOLDER with these
# endings as the table NAME_files of NAME_nfiles entries that FILE.h declares (sched/port/embed.h).
# Bytes are written as character constants: a string literal that long is not portable C, and a number above 127
# does not fit a char.
string(REPLACE "," ";" endings "${ENDINGS}")
list(TRANSFORM endings PREPEND "${DIR}/*")
file(GLOB sources ${endings})
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

file(WRITE "${OUT}" "/* Made by cmake/embed.cmake. */
#include \"${HEADER}\"

${arrays}
const struct gs_embedded ${TABLE}_files[] = {
${rows}};
const size_t ${TABLE}_nfiles = ${count};
")
