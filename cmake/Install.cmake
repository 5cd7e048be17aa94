# What `make install` puts where:
#   bin/{wfl,kvb}  include/kvb/*  lib/libkvb.{a,so}  lib/pkgconfig/kvb.pc  lib/cmake/kvb/ (targets kvb::static, kvb::shared, kvb::kvb)
#   share/man/man1/{wfl,kvb}.1  completions of kvb for bash, zsh and fish, where these shells look for them
# The components are those of the Debian packages (packaging/, `make deb`): library, development, kvb, wfl.
include(CMakePackageConfigHelpers)

set(WFLKS_ZSH_COMPLETIONS ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "Where zsh looks for completions")

foreach(program wfl kvb)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${program})
  endif()
endforeach()
if(TARGET wfl)
  configure_file(${PROJECT_SOURCE_DIR}/packaging/wfl.1.in ${PROJECT_BINARY_DIR}/wfl.1 @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/wfl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT wfl)
endif()
if(NOT TARGET kvb_static)
  return()
endif()

# The command itself writes its manual and completions, so they have what it has.
set(said ${PROJECT_BINARY_DIR}/said-by-kvb)
file(MAKE_DIRECTORY ${said})
set(said_files)
foreach(pair kvb.1=manual kvb.bash=completions,bash kvb.zsh=completions,zsh kvb.fish=completions,fish)
  string(REGEX REPLACE "=.*" "" name ${pair})
  string(REGEX REPLACE ".*=" "" words ${pair})
  string(REPLACE "," ";" words ${words})
  add_custom_command(OUTPUT ${said}/${name} COMMAND kvb ${words} > ${said}/${name}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${said}/${name}.new ${said}/${name} DEPENDS kvb VERBATIM)
  list(APPEND said_files ${said}/${name})
endforeach()
add_custom_target(said_by_kvb ALL DEPENDS ${said_files})
add_dependencies(product said_by_kvb)
install(FILES ${said}/kvb.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT kvb)
install(FILES ${said}/kvb.bash RENAME kvb DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT kvb)
install(FILES ${said}/kvb.zsh RENAME _kvb DESTINATION ${WFLKS_ZSH_COMPLETIONS} COMPONENT kvb)
install(FILES ${said}/kvb.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT kvb)

install(TARGETS kvb_static kvb_shared EXPORT kvbTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/kvb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
if(NOT WFLKS_DEBIAN)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT library)
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/kvb)
install(EXPORT kvbTargets NAMESPACE kvb:: DESTINATION ${package_folder} COMPONENT development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/kvbConfig.cmake.in ${PROJECT_BINARY_DIR}/kvbConfig.cmake
  INSTALL_DESTINATION ${package_folder})
# Before 1.0 a new minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kvbConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kvbConfig.cmake ${PROJECT_BINARY_DIR}/kvbConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT development)

# kvb.pc finds its prefix from its own place (pcfiledir), so any `cmake --install --prefix` is right, and so is a tree that is
# moved afterwards.
file(RELATIVE_PATH kvb_pc_prefix /x/${CMAKE_INSTALL_LIBDIR}/pkgconfig /x)
string(REGEX REPLACE "/$" "" kvb_pc_prefix ${kvb_pc_prefix})
configure_file(${PROJECT_SOURCE_DIR}/cmake/kvb.pc.in ${PROJECT_BINARY_DIR}/kvb.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/kvb.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

if(WFLKS_DEBIAN)
  include(Debian)
endif()
