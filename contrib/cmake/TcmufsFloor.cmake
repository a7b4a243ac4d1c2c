# One floor of the house: a static library that links only what it names.
#
#   tcmufs_floor(NAME SOURCES file... [BELOW floor...] [LINKS target...])
#
# BELOW are the floors it stands on (PUBLIC: their types appear in its headers); LINKS are libraries
# from outside that it alone uses.
function(tcmufs_floor name)
  cmake_parse_arguments(ARG "" "" "SOURCES;BELOW;LINKS" ${ARGN})
  add_library(tcmufs_${name} STATIC ${ARG_SOURCES})
  target_include_directories(tcmufs_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_compile_features(tcmufs_${name} PUBLIC cxx_std_20)
  foreach(floor IN LISTS ARG_BELOW)
    target_link_libraries(tcmufs_${name} PUBLIC tcmufs_${floor})
  endforeach()
  target_link_libraries(tcmufs_${name} PRIVATE ${ARG_LINKS})
endfunction()

# The unit tests of one floor, one program: every TEST in it is a test of ctest, a process of its own; with
# TCMUFS_TEST_SHARDS only so many processes run them all, because with a sanitizer a process takes longer to start than
# most tests to run. What is tested is optimised as the build says; the tests themselves are not, are compiled eight files at a
# time, and share one reading of GoogleTest: compiling them is most of a build. So names in the anonymous namespaces of a floor's
# tests must differ.
#
#   tcmufs_unit_test(NAME SOURCES file... [LINKS target...])
function(tcmufs_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(unit_${name} ${ARG_SOURCES})
  target_include_directories(unit_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_precompile_headers(unit_${name} PRIVATE <gmock/gmock.h>)
  target_compile_options(unit_${name} PRIVATE -O0 -Wno-shadow) # of one file by another of its batch
  set_target_properties(unit_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  target_link_libraries(unit_${name} PRIVATE ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  if(TCMUFS_TEST_SHARDS)
    math(EXPR last "${TCMUFS_TEST_SHARDS} - 1")
    foreach(shard RANGE ${last})
      add_test(NAME ${TCMUFS_TEST_PREFIX}${name}.${shard} COMMAND unit_${name} --gtest_brief=1)
      set_tests_properties(${TCMUFS_TEST_PREFIX}${name}.${shard} PROPERTIES LABELS unit TIMEOUT 900
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${TCMUFS_TEST_SHARDS};GTEST_SHARD_INDEX=${shard}")
    endforeach()
  else()
    gtest_discover_tests(unit_${name} TEST_PREFIX "${TCMUFS_TEST_PREFIX}${name}." DISCOVERY_TIMEOUT 60
      PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()
