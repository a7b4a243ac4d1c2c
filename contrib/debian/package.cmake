# cpack -G DEB: one package of all components.
set(CPACK_PACKAGE_NAME tcmufs)
set(CPACK_PACKAGE_VENDOR "the tcmufs developers")
set(CPACK_PACKAGE_CONTACT "the tcmufs developers <tcmufs@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "filesystem whose files are disks of the machine")
set(CPACK_PACKAGE_DESCRIPTION "A file that is created in a mount of tcmufs is a SCSI disk of this machine, served from
userspace over the kernel's TCMU; its contents are an image file in a directory. The command mountctl lists, creates, resizes
and removes them.")
set(CPACK_GENERATOR DEB)
# Some files belong to /etc and not below the prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS fuse3)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "udev, linux-image-amd64 | linux-image-arm64 | linux-image-generic")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, multipath-tools")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_LIST_DIR}/conffiles ${CMAKE_CURRENT_LIST_DIR}/postinst ${CMAKE_CURRENT_LIST_DIR}/prerm
    ${CMAKE_CURRENT_LIST_DIR}/postrm)
include(CPack)
