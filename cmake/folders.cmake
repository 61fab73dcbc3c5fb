# One library per folder. Sources and tests are globbed, so that a file which exists is built and a test which exists runs.

# penstock_folder(NAME DEPENDS other folders and packages): library penstock_NAME of NAME/*.cpp.
function(penstock_folder NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE" ${ARGN})
  file(GLOB SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/*/*.cpp)
  if(SOURCES)
    add_library(penstock_${NAME} STATIC ${SOURCES})
    target_link_libraries(penstock_${NAME} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  else()
    add_library(penstock_${NAME} INTERFACE)
    target_link_libraries(penstock_${NAME} INTERFACE ${ARG_DEPENDS})
  endif()
endfunction()

# penstock_tests(NAME DIR LABEL DEPENDS …): one GoogleTest program of DIR/*_test.cpp.
function(penstock_tests NAME DIR LABEL)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB SOURCES CONFIGURE_DEPENDS ${DIR}/*_test.cpp ${DIR}/*/*_test.cpp)
  if(SOURCES)
    add_executable(${NAME} ${SOURCES})
    target_link_libraries(${NAME} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
    add_test(NAME ${NAME} COMMAND ${NAME} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${NAME} PROPERTIES LABELS ${LABEL})
  endif()
endfunction()
