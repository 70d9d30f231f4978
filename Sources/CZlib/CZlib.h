// Finds zlib.h on the compiler's own search path, so that the module map needs no absolute path.
#include <zlib.h>
