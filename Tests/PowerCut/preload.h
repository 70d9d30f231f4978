/* What the preloaded libraries share: the calls below them, and which files are theirs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLVE(function, name) (*(void **)&(function) = dlsym(RTLD_NEXT, name))

/* Empty: no file is ours. */
static char directory[PATH_MAX];
static size_t directory_length;

/* Takes the directory whose files are ours from the environment; 0 if there is none. */
static int take_directory(const char *variable)
{
    const char *wanted = getenv(variable);
    if (!wanted || !realpath(wanted, directory))
        return 0;
    directory_length = strlen(directory);
    return 1;
}

static int is_below(const char *path)
{
    return directory_length != 0 && strncmp(path, directory, directory_length) == 0 && path[directory_length] == '/';
}

/* The path of an open regular file; 0 for anything else. */
static int path_of(int descriptor, struct stat *status, char path[PATH_MAX])
{
    char link[64];
    if (fstat(descriptor, status) != 0 || !S_ISREG(status->st_mode))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return 1;
}
