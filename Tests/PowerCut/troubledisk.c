/* A disk that gets full and fails, while a program runs.
 *
 * Preloaded into a program, it refuses calls on the files below TROUBLEDISK_DIR, as the word in the file
 * TROUBLEDISK_CONTROL says at that moment. What is refused has not happened.
 *
 *   full     write, pwrite, ftruncate: ENOSPC
 *   broken   write, pwrite, ftruncate: EIO
 *   unsynced fsync, fdatasync: EIO
 *   anything else, or no file: all goes well
 *
 *   cc -O2 -shared -fPIC -Wall -Wextra -Werror -o troubledisk.so troubledisk.c -ldl -lpthread
 */
#include "preload.h"

#include <errno.h>
#include <fcntl.h>

static const char *control;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void)
{
    RESOLVE(real_write, "write");
    RESOLVE(real_pwrite, "pwrite64");
    RESOLVE(real_ftruncate, "ftruncate64");
    RESOLVE(real_fsync, "fsync");
    RESOLVE(real_fdatasync, "fdatasync");
    control = getenv("TROUBLEDISK_CONTROL");
    take_directory("TROUBLEDISK_DIR");
}

/* Whether the word of the moment is this one, and the file is ours. */
static int is_refused(int descriptor, const char *word)
{
    struct stat status;
    char path[PATH_MAX], now[16] = "";
    if (!control || !path_of(descriptor, &status, path) || !is_below(path))
        return 0;
    int reading = open(control, O_RDONLY | O_CLOEXEC);
    if (reading < 0)
        return 0;
    ssize_t length = read(reading, now, sizeof now - 1);
    close(reading);
    return length > 0 && strcmp(now, word) == 0;
}

static int refuses_writing(int descriptor)
{
    int kept = errno;
    int error = is_refused(descriptor, "full") ? ENOSPC : is_refused(descriptor, "broken") ? EIO : 0;
    errno = error ? error : kept;
    return error;
}

static int refuses_syncing(int descriptor)
{
    int kept = errno;
    int error = is_refused(descriptor, "unsynced") ? EIO : 0;
    errno = error ? error : kept;
    return error;
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
    return refuses_writing(descriptor) ? -1 : real_write(descriptor, bytes, length);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t offset)
{
    return refuses_writing(descriptor) ? -1 : real_pwrite(descriptor, bytes, length, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset)
{
    return pwrite64(descriptor, bytes, length, offset);
}

int ftruncate64(int descriptor, off_t length)
{
    return refuses_writing(descriptor) ? -1 : real_ftruncate(descriptor, length);
}

int ftruncate(int descriptor, off_t length)
{
    return ftruncate64(descriptor, length);
}

int fsync(int descriptor)
{
    return refuses_syncing(descriptor) ? -1 : real_fsync(descriptor);
}

int fdatasync(int descriptor)
{
    return refuses_syncing(descriptor) ? -1 : real_fdatasync(descriptor);
}
