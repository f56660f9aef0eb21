// Stands between a program and the C library, and fails its disk on request.
//
// FAULTY_DISK_CONTROL names a directory. While a file is in it the calls on files below FAULTY_DISK_UNDER do this:
//   fail-sync  a sync fails with EIO, and what was written since the last sync is forgotten at the next power cut
//   hang-sync  a sync does not end before the file is gone
// The file `log` in it gets a line for each write, cut and sync: what a power cut leaves can be told from it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int concerns(int fd, struct stat *file) {
    const char *under = getenv("FAULTY_DISK_UNDER");
    char link[64], path[4096];
    if (!under || fstat(fd, file) != 0 || !S_ISREG(file->st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, under, strlen(under)) == 0;
}

static int asked(const char *name) {
    char path[4096];
    const char *control = getenv("FAULTY_DISK_CONTROL");
    if (!control) return 0;
    snprintf(path, sizeof path, "%s/%s", control, name);
    return access(path, F_OK) == 0;
}

static void note(char what, const struct stat *file, long long at, long long length) {
    char path[4096], line[128];
    snprintf(path, sizeof path, "%s/log", getenv("FAULTY_DISK_CONTROL"));
    int log = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log < 0) return;
    int bytes = snprintf(line, sizeof line, "%c %llu %lld %lld\n", what, (unsigned long long)file->st_ino, at, length);
    syscall(SYS_write, log, line, bytes);
    syscall(SYS_close, log);
}

static int synced(int fd, long number) {
    struct stat file;
    if (!concerns(fd, &file)) return (int)syscall(number, fd);
    while (asked("hang-sync")) usleep(10000);
    if (asked("fail-sync")) {
        note('f', &file, 0, 0);
        errno = EIO;
        return -1;
    }
    int result = (int)syscall(number, fd);
    if (result == 0) note('s', &file, 0, 0);
    return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static ssize_t written(int fd, ssize_t bytes) {
    int error = errno;
    struct stat file;
    if (bytes > 0 && concerns(fd, &file)) note('w', &file, lseek(fd, 0, SEEK_CUR) - bytes, bytes);
    errno = error;
    return bytes;
}

ssize_t write(int fd, const void *from, size_t bytes) { return written(fd, syscall(SYS_write, fd, from, bytes)); }
ssize_t writev(int fd, const struct iovec *from, int count) { return written(fd, syscall(SYS_writev, fd, from, count)); }

ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at) {
    ssize_t result = syscall(SYS_pwrite64, fd, from, bytes, at);
    struct stat file;
    if (result > 0 && concerns(fd, &file)) note('w', &file, at, result);
    return result;
}

int ftruncate64(int fd, off64_t length) {
    struct stat file;
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (result == 0 && concerns(fd, &file)) note('t', &file, length, 0);
    return result;
}
