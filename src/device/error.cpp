#include "tcmufs/error.h"

TCMUFS_BEGIN

Error::Error(int error, const std::string& sentence)
    : std::system_error(error, std::generic_category()), sentence_(sentence) {}

Error::~Error() = default;

TCMUFS_END
