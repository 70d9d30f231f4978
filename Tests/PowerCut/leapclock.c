/* A monotonic clock that can leap forward, for tests of what happens after minutes.
 *
 * Preloaded into a program, it adds the seconds that the file LEAPCLOCK holds (eight bytes, as this machine writes an
 * integer) to CLOCK_MONOTONIC. The time of day stays.
 *
 *   cc -O2 -shared -fPIC -Wall -Wextra -Werror -o leapclock.so leapclock.c -ldl -lpthread
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static const volatile int64_t *leap;

static void find_clock(void)
{
    *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
}

__attribute__((constructor)) static void begin(void)
{
    find_clock();
    const char *path = getenv("LEAPCLOCK");
    int descriptor = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor < 0)
        return;
    void *page = mmap(NULL, sizeof *leap, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (page != MAP_FAILED)
        leap = page;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    /* Others may ask before we begin. */
    if (!real_clock_gettime)
        find_clock();
    int result = real_clock_gettime(clock, time);
    if (result == 0 && clock == CLOCK_MONOTONIC && leap)
        time->tv_sec += *leap;
    return result;
}
