/* A disk that forgets what was not synced.
 *
 * Preloaded into a program, it lets every write through and remembers, per file below LOSSYDISK_DIR, the bytes that
 * were there at the last sync. At the power cut it takes a random choice of the unsynced writes back, in sectors of 512
 * bytes, together with a random tail of the unsynced names (files made, renamed, removed), and ends the process. What
 * remains on disk is a state that a real disk could have been in.
 *
 *   LOSSYDISK_DIR        the directory whose files are lossy (with everything below it)
 *   LOSSYDISK_SEED       a number; the same seed takes the same choices
 *   LOSSYDISK_CUT_SYNC   cut instead of doing the N-th sync (0 or unset: never)
 *   SIGUSR2              cut now
 *
 * The exit status is 137. Not covered, because nothing that is tested here does it: writing through mmap (SQLite's -shm
 * files are left alone: they mean nothing after a restart), direct I/O, copy_file_range, writev.
 *
 *   cc -O2 -shared -fPIC -Wall -Wextra -Werror -o lossydisk.so lossydisk.c -ldl -lpthread
 */
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>

#define SECTOR 512

/* One unsynced write or truncation: what the bytes were before. */
struct undo {
    struct undo *older;
    off_t offset;
    size_t length;
    unsigned char old[];
};

/* A file with its unsynced writes, newest first, and its size when it was last synced. */
struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    off_t synced_size;
    struct undo *newest;
    char path[PATH_MAX];
};

/* One unsynced change of a name, newest first. `saved` is a second name for a file that lost this one. */
struct naming {
    struct naming *older;
    enum { MADE, REMOVED, RENAMED } what;
    char path[PATH_MAX];
    char from[PATH_MAX];
    char saved[PATH_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static struct naming *namings;
static uint64_t random_state;
static long syncs_left;
static unsigned long saved_count;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

static void cut(void) __attribute__((noreturn));

/* xorshift64*: good enough to choose sectors by. */
static uint64_t draw(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545F4914F6CDD1DULL;
}

static void fail(const char *what)
{
    fprintf(stderr, "lossydisk: %s: %s\n", what, strerror(errno));
    _exit(70);
}

/* Whether a path is below the lossy directory, and not a file that means nothing after a restart. */
static int is_lossy(const char *path)
{
    size_t length = strlen(path);
    if (!is_below(path))
        return 0;
    if (length > 4 && strcmp(path + length - 4, "-shm") == 0)
        return 0;
    return strstr(path, "/.lossydisk-") == NULL;
}

/* The absolute form of a path that may not exist yet. */
static int absolute(const char *path, char out[PATH_MAX])
{
    char copy[PATH_MAX], parent[PATH_MAX];
    if (strlen(path) >= PATH_MAX)
        return 0;
    strcpy(copy, path);
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (slash)
        *slash = 0;
    if (!realpath(slash ? (copy[0] ? copy : "/") : ".", parent))
        return 0;
    return snprintf(out, PATH_MAX, "%s/%s", parent, name) < PATH_MAX;
}

static struct file *find(dev_t device, ino_t inode)
{
    for (struct file *file = files; file; file = file->next)
        if (file->device == device && file->inode == inode)
            return file;
    return NULL;
}

/* The record of an open lossy file, made on first need; NULL for anything else. */
static struct file *file_of(int descriptor)
{
    struct stat status;
    char path[PATH_MAX];
    if (!path_of(descriptor, &status, path))
        return NULL;
    struct file *file = find(status.st_dev, status.st_ino);
    if (file)
        return file;
    if (!is_lossy(path))
        return NULL;
    file = calloc(1, sizeof *file);
    if (!file)
        fail("calloc");
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->synced_size = status.st_size;
    strcpy(file->path, path);
    file->next = files;
    files = file;
    return file;
}

/* Remembers what is in a range before it changes; beyond the end there are zeros. */
static void remember(struct file *file, int descriptor, off_t offset, size_t length)
{
    struct undo *undo = calloc(1, sizeof *undo + length);
    if (!undo)
        fail("calloc");
    undo->offset = offset;
    undo->length = length;
    /* The descriptor may be for writing only. */
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    int reading = real_open(link, O_RDONLY | O_CLOEXEC);
    if (reading < 0)
        fail("reading back");
    size_t done = 0;
    while (done < length) {
        ssize_t count = pread(reading, undo->old + done, length - done, offset + (off_t)done);
        if (count < 0 && errno != EINTR)
            fail("pread");
        if (count == 0)
            break;
        if (count > 0)
            done += (size_t)count;
    }
    close(reading);
    undo->older = file->newest;
    file->newest = undo;
}

static void forget_writes(struct file *file)
{
    while (file->newest) {
        struct undo *undo = file->newest;
        file->newest = undo->older;
        free(undo);
    }
}

static void synced(struct file *file, int descriptor)
{
    struct stat status;
    forget_writes(file);
    if (fstat(descriptor, &status) == 0)
        file->synced_size = status.st_size;
}

static void drop(struct file *file)
{
    for (struct file **link = &files; *link; link = &(*link)->next) {
        if (*link == file) {
            *link = file->next;
            forget_writes(file);
            free(file);
            return;
        }
    }
}

/* Counts a sync, and cuts if it is the chosen one. */
static void count_sync(void)
{
    if (syncs_left > 0 && --syncs_left == 0)
        cut();
}

/* MARK: Names */

static struct naming *note(int what, const char *path)
{
    struct naming *naming = calloc(1, sizeof *naming);
    if (!naming)
        fail("calloc");
    naming->what = what;
    snprintf(naming->path, sizeof naming->path, "%s", path);
    naming->older = namings;
    namings = naming;
    return naming;
}

/* Keeps a file that is about to lose its name, so that the name can come back. */
static void save(struct naming *naming, const char *path)
{
    snprintf(naming->saved, sizeof naming->saved, "%.*s/.lossydisk-%d-%lu", (int)directory_length, directory,
             (int)getpid(), saved_count++);
    if (link(path, naming->saved) != 0)
        naming->saved[0] = 0;
}

static void names_synced(void)
{
    while (namings) {
        struct naming *naming = namings;
        namings = naming->older;
        if (naming->saved[0]) {
            struct stat status;
            /* The last name goes, and the file's record with it: its inode can come back as another file. */
            if (stat(naming->saved, &status) == 0 && status.st_nlink == 1) {
                struct file *file = find(status.st_dev, status.st_ino);
                if (file)
                    drop(file);
            }
            real_unlink(naming->saved);
        }
        free(naming);
    }
}

static void undo_naming(struct naming *naming)
{
    switch (naming->what) {
    case MADE:
        real_unlink(naming->path);
        break;
    case REMOVED:
        if (naming->saved[0])
            real_rename(naming->saved, naming->path);
        break;
    case RENAMED:
        real_rename(naming->path, naming->from);
        if (naming->saved[0])
            real_rename(naming->saved, naming->path);
        break;
    }
}

/* MARK: The cut */

/* Takes each sector of each unsynced write back or not, newest write first. */
static void lose_writes(struct file *file, int odds)
{
    struct stat status;
    int descriptor = real_open(file->path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0)
        return;
    /* The name may mean another file by now; that one has its own record. */
    if (fstat(descriptor, &status) != 0 || status.st_ino != file->inode || status.st_dev != file->device) {
        close(descriptor);
        return;
    }
    for (struct undo *undo = file->newest; undo; undo = undo->older) {
        off_t end = undo->offset + (off_t)undo->length;
        for (off_t at = undo->offset; at < end;) {
            off_t sector_end = at - at % SECTOR + SECTOR;
            off_t stop = sector_end < end ? sector_end : end;
            if ((int)(draw() % 100) < odds) {
                size_t length = (size_t)(stop - at);
                if (real_pwrite(descriptor, undo->old + (at - undo->offset), length, at) != (ssize_t)length)
                    fail("taking a write back");
            }
            at = stop;
        }
    }
    /* A size that was not synced may be the old one, the new one, or any between. */
    if (fstat(descriptor, &status) == 0 && status.st_size > file->synced_size) {
        off_t grown = status.st_size - file->synced_size;
        off_t kept = 0;
        switch (draw() % 3) {
        case 0: kept = grown; break;
        case 1: kept = (off_t)(draw() % (uint64_t)grown); break;
        }
        if (real_ftruncate(descriptor, file->synced_size + kept) != 0)
            fail("truncating");
    }
    close(descriptor);
}

/* The lock is held: no sync succeeds any more, so nothing more is acknowledged. */
static void cut(void)
{
    /* From «nearly all was written» to «nothing was». */
    static const int all_odds[] = {10, 50, 90, 100};
    int odds = all_odds[draw() % 4];
    for (struct file *file = files; file; file = file->next)
        lose_writes(file, odds);
    size_t count = 0;
    for (struct naming *naming = namings; naming; naming = naming->older)
        count++;
    size_t lost = count ? draw() % (count + 1) : 0;
    for (struct naming *naming = namings; naming && lost; naming = naming->older, lost--)
        undo_naming(naming);
    for (struct naming *naming = namings; naming; naming = naming->older)
        if (naming->saved[0])
            real_unlink(naming->saved);
    _exit(137);
}

static sem_t cut_wanted;

/* Runs on whichever thread the signal meets: it may only post. */
static void signalled(int number)
{
    (void)number;
    sem_post(&cut_wanted);
}

static void *wait_for_signal(void *unused)
{
    (void)unused;
    while (sem_wait(&cut_wanted) != 0) {
    }
    pthread_mutex_lock(&lock);
    cut();
}

__attribute__((constructor)) static void begin(void)
{
    pthread_t thread;
    RESOLVE(real_open, "open64");
    RESOLVE(real_openat, "openat64");
    RESOLVE(real_write, "write");
    RESOLVE(real_pwrite, "pwrite64");
    RESOLVE(real_ftruncate, "ftruncate64");
    RESOLVE(real_fsync, "fsync");
    RESOLVE(real_fdatasync, "fdatasync");
    RESOLVE(real_unlink, "unlink");
    RESOLVE(real_rename, "rename");
    if (!take_directory("LOSSYDISK_DIR"))
        return;
    const char *seed = getenv("LOSSYDISK_SEED");
    const char *sync_number = getenv("LOSSYDISK_CUT_SYNC");
    random_state = (seed ? strtoull(seed, NULL, 10) : 1) * 0x9E3779B97F4A7C15ULL + 1;
    syncs_left = sync_number ? strtol(sync_number, NULL, 10) : 0;
    /* A handler and not a mask: programs have threads that unblock what they inherited. */
    struct sigaction action = {.sa_handler = signalled, .sa_flags = SA_RESTART};
    sem_init(&cut_wanted, 0, 0);
    sigaction(SIGUSR2, &action, NULL);
    if (pthread_create(&thread, NULL, wait_for_signal, NULL) != 0)
        fail("pthread_create");
    pthread_detach(thread);
}

/* MARK: What programs call */

static int opened(const char *path, int flags, int existed, int descriptor)
{
    if (descriptor >= 0 && (flags & O_CREAT) && !existed)
        note(MADE, path);
    return descriptor;
}

static int open_at(int at, const char *path, int flags, mode_t mode)
{
    char full[PATH_MAX];
    /* Truncation at opening is not used for anything that matters here, and is taken as synced. */
    if (!(flags & O_CREAT) || (at != AT_FDCWD && path[0] != '/') || !absolute(path, full) || !is_lossy(full))
        return real_openat(at, path, flags, mode);
    pthread_mutex_lock(&lock);
    int descriptor = opened(full, flags, access(full, F_OK) == 0, real_openat(at, path, flags, mode));
    pthread_mutex_unlock(&lock);
    return descriptor;
}

#define MODE(flags, mode) \
    do { \
        if ((flags) & (O_CREAT | O_TMPFILE)) { \
            va_list list; \
            va_start(list, flags); \
            mode = va_arg(list, mode_t); \
            va_end(list); \
        } \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE(flags, mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE(flags, mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE(flags, mode);
    return open_at(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE(flags, mode);
    return open_at(at, path, flags, mode);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t offset)
{
    if (directory_length == 0)
        return real_pwrite(descriptor, bytes, length, offset);
    pthread_mutex_lock(&lock);
    struct file *file = file_of(descriptor);
    if (file)
        remember(file, descriptor, offset, length);
    ssize_t result = real_pwrite(descriptor, bytes, length, offset);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset)
{
    return pwrite64(descriptor, bytes, length, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
    struct stat status;
    /* Sockets and pipes must not wait for a file. */
    if (directory_length == 0 || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return real_write(descriptor, bytes, length);
    pthread_mutex_lock(&lock);
    struct file *file = file_of(descriptor);
    if (file) {
        off_t offset = fcntl(descriptor, F_GETFL) & O_APPEND ? status.st_size : lseek(descriptor, 0, SEEK_CUR);
        remember(file, descriptor, offset, length);
    }
    ssize_t result = real_write(descriptor, bytes, length);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int descriptor, off_t length)
{
    struct stat status;
    pthread_mutex_lock(&lock);
    struct file *file = directory_length ? file_of(descriptor) : NULL;
    if (file && fstat(descriptor, &status) == 0 && status.st_size > length)
        remember(file, descriptor, length, (size_t)(status.st_size - length));
    int result = real_ftruncate(descriptor, length);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int descriptor, off_t length)
{
    return ftruncate64(descriptor, length);
}

static int sync_with(int (*real)(int), int descriptor)
{
    struct stat status;
    if (directory_length == 0 || fstat(descriptor, &status) != 0)
        return real(descriptor);
    pthread_mutex_lock(&lock);
    int result = 0;
    if (S_ISDIR(status.st_mode)) {
        count_sync();
        names_synced();
    } else {
        struct file *file = file_of(descriptor);
        if (file) {
            /* What the kernel holds outlives this process: there is nothing to wait for. */
            count_sync();
            synced(file, descriptor);
        } else {
            result = real(descriptor);
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int descriptor)
{
    return sync_with(real_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return sync_with(real_fdatasync, descriptor);
}

int unlink(const char *path)
{
    char full[PATH_MAX];
    if (!absolute(path, full) || !is_lossy(full))
        return real_unlink(path);
    pthread_mutex_lock(&lock);
    if (access(full, F_OK) == 0)
        save(note(REMOVED, full), full);
    int result = real_unlink(path);
    pthread_mutex_unlock(&lock);
    return result;
}

int rename(const char *from, const char *to)
{
    char full_from[PATH_MAX], full_to[PATH_MAX];
    if (!absolute(from, full_from) || !absolute(to, full_to) || !is_lossy(full_to))
        return real_rename(from, to);
    pthread_mutex_lock(&lock);
    struct naming *naming = note(RENAMED, full_to);
    strcpy(naming->from, full_from);
    if (access(full_to, F_OK) == 0)
        save(naming, full_to);
    int result = real_rename(from, to);
    if (result == 0) {
        /* Unsynced writes go with the file to its new name. */
        struct stat status;
        struct file *file = stat(full_to, &status) == 0 ? find(status.st_dev, status.st_ino) : NULL;
        if (file)
            strcpy(file->path, full_to);
    } else {
        namings = naming->older;
        if (naming->saved[0])
            real_unlink(naming->saved);
        free(naming);
    }
    pthread_mutex_unlock(&lock);
    return result;
}
