# What `make install` puts where:
#   bin/{wfl,kvb}  include/kvb/*  lib/libkvb.{a,so}  lib/pkgconfig/kvb.pc  lib/cmake/kvb/ (targets kvb::static, kvb::shared, kvb::kvb)
include(CMakePackageConfigHelpers)

foreach(program wfl kvb)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
if(NOT TARGET kvb_static)
  return()
endif()

install(TARGETS kvb_static kvb_shared EXPORT kvbTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/kvb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/kvb)
install(EXPORT kvbTargets NAMESPACE kvb:: DESTINATION ${package_folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/kvbConfig.cmake.in ${PROJECT_BINARY_DIR}/kvbConfig.cmake
  INSTALL_DESTINATION ${package_folder})
# Before 1.0 a new minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kvbConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kvbConfig.cmake ${PROJECT_BINARY_DIR}/kvbConfigVersion.cmake
  DESTINATION ${package_folder})

# kvb.pc finds its prefix from its own place (pcfiledir), so any `cmake --install --prefix` is right, and so is a tree that is
# moved afterwards.
file(RELATIVE_PATH kvb_pc_prefix /x/${CMAKE_INSTALL_LIBDIR}/pkgconfig /x)
string(REGEX REPLACE "/$" "" kvb_pc_prefix ${kvb_pc_prefix})
configure_file(${PROJECT_SOURCE_DIR}/cmake/kvb.pc.in ${PROJECT_BINARY_DIR}/kvb.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/kvb.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
