# `cmake --install`: the library, its headers, the program, a CMake package and a pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/goneuron)

install(TARGETS goneuron EXPORT goneuron ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET goneuron_cli)
  install(TARGETS goneuron_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY include/goneuron DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT goneuron NAMESPACE goneuron:: FILE goneuronTargets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/goneuronConfig.cmake.in goneuronConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(goneuronConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/goneuronConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/goneuronConfigVersion.cmake
        DESTINATION ${package_dir})

# The prefix is two folders above the file, wherever the tree was moved to.
file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/goneuron.pc.in goneuron.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/goneuron.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
