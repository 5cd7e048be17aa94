# Four Debian packages by CPack: libkvb0 (the shared library), libkvb-dev, kvb and wfl. `make deb` configures a build folder of
# its own for them, with prefix /usr.
set(CPACK_PACKAGE_CONTACT "WFL Keystore maintainers <maintainers@wfl-keystore.example>")
set(soname_package libkvb${PROJECT_VERSION_MAJOR})
set(debian ${PROJECT_BINARY_DIR}/debian)
configure_file(${PROJECT_SOURCE_DIR}/packaging/changelog.Debian.in ${debian}/changelog.Debian @ONLY)
foreach(pair library=${soname_package} development=libkvb-dev kvb=kvb wfl=wfl)
  string(REGEX REPLACE "=.*" "" component ${pair})
  string(REGEX REPLACE ".*=" "" package ${pair})
  set(folder share/doc/${package})
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/copyright ${debian}/changelog.Debian DESTINATION ${folder} COMPONENT ${component})
  install(FILES ${PROJECT_SOURCE_DIR}/CHANGELOG.md RENAME changelog DESTINATION ${folder} COMPONENT ${component})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
  set(CPACK_DEBIAN_${upper}_FILE_NAME DEB-DEFAULT)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wfl-keystore)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # Each package has its own.
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library development kvb wfl)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/finish_deb.cmake)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION database)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
file(WRITE ${debian}/shlibs "libkvb ${PROJECT_VERSION_MAJOR} ${soname_package} (>= ${PROJECT_VERSION})\n")
file(WRITE ${debian}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${debian}/shlibs ${debian}/triggers)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "embedded key/value store in one file (library)
libkvb keeps keys and values in one file. What was written is still there after
a power cut, one process writes while any number read, keys expire by
themselves, and space that is not needed any more comes back.

This package has the shared library.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "${soname_package} (= ${PROJECT_VERSION}-1), libzstd-dev, libsodium-dev, libxxhash-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "embedded key/value store in one file (for development)
libkvb keeps keys and values in one file. What was written is still there after
a power cut, one process writes while any number read, keys expire by
themselves, and space that is not needed any more comes back.

This package has the headers for C++ and C, the static library, and what
pkg-config and CMake need to find them.")
set(CPACK_COMPONENT_KVB_DESCRIPTION "key/value store in one file, from the shell
The kvb command reads, writes, watches, copies, checks and repairs buckets:
files of keys and values that libkvb keeps.")
set(CPACK_COMPONENT_WFL_DESCRIPTION "runtime of the WebFirst Language
WFL is a programming language that reads like plain English. This runtime
compiles programs to bytecode and runs them; a key/value store in one file is
built into the language.")
include(CPack)
