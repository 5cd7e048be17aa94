# Layers are folders. kvb_layer()/wfl_layer() turn one folder into one object library whose name is the layer's; a layer
# that is still empty becomes an interface library so that the list below can name the whole design.
# The include direction between layers is checked by scripts/check_layers.py, which reads scripts/layers.toml.

function(wflks_layer target folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  if(sources)
    add_library(${target} OBJECT ${sources})
    target_compile_features(${target} PUBLIC cxx_std_23)
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${target} PUBLIC wflks_options ${ARGN})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${target} INTERFACE wflks_options ${ARGN})
  endif()
endfunction()

# Adds a GoogleTest executable from every *_test.cpp in a folder and registers its cases with CTest.
function(wflks_test target folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${target} ${sources})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE ${ARGN} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE WFLKS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # The program's name goes before each case's, so that two layers may have cases of one name.
  gtest_discover_tests(${target} TEST_PREFIX ${target}. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
endfunction()
