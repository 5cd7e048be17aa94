# CPack calls this when a package's files are in place: manual pages and the changelog are compressed as Debian wants them.
foreach(component library development kvb wfl)
  set(root "${CPACK_TEMPORARY_DIRECTORY}/${component}/usr/share")
  file(GLOB pages "${root}/man/man*/*.[0-9]")
  file(GLOB changelogs "${root}/doc/*/changelog" "${root}/doc/*/changelog.Debian")
  foreach(file IN LISTS pages changelogs)
    execute_process(COMMAND gzip -9 -n -f "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endforeach()
