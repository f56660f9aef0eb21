// Stands between a program and the C library, and fails its disk on request.
//
// FAULTY_DISK_CONTROL names a directory. While a file is in it the calls on files below FAULTY_DISK_UNDER do this:
//   fail-sync  a sync fails with EIO, and what was written since the last sync is forgotten at the next power cut
//   hang-sync  a sync does not end before the file is gone
//   fail-read  reads of some bytes of one file fail with EIO; it holds where they begin, where they end, and the file's path
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

static int named(int fd, char path[4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 4095);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int concerns(int fd, struct stat *file) {
    const char *under = getenv("FAULTY_DISK_UNDER");
    char path[4096];
    if (!under || fstat(fd, file) != 0 || !S_ISREG(file->st_mode) || !named(fd, path)) return 0;
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

// A sync of a directory never fails; it gets a line of its own.
static int folder_synced(int fd, long number) {
    const char *under = getenv("FAULTY_DISK_UNDER");
    struct stat file;
    char path[4096];
    int result = (int)syscall(number, fd), error = errno;
    if (result == 0 && under && fstat(fd, &file) == 0 && S_ISDIR(file.st_mode) && named(fd, path) &&
        strncmp(path, under, strlen(under)) == 0)
        note('d', &file, 0, 0);
    errno = error;
    return result;
}

static int synced(int fd, long number) {
    struct stat file;
    if (!concerns(fd, &file)) return folder_synced(fd, number);
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

// How many bytes of a read the disk gives; -1 with EIO for none.
static ssize_t given(int fd, off64_t at, size_t bytes) {
    char path[4096], control[4096];
    long long begin, end;
    if (!asked("fail-read") || !named(fd, path)) return bytes;
    snprintf(control, sizeof control, "%s/fail-read", getenv("FAULTY_DISK_CONTROL"));
    int file = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
    if (file < 0) return bytes;
    ssize_t length = syscall(SYS_read, file, control, sizeof control - 1);
    syscall(SYS_close, file);
    if (length <= 0) return bytes;
    control[length] = 0;
    int from = 0;
    if (sscanf(control, "%lld %lld %n", &begin, &end, &from) != 2 || strcmp(control + from, path) != 0) return bytes;
    if (at >= end || at + (long long)bytes <= begin) return bytes;
    if (at < begin) return begin - at;
    errno = EIO;
    return -1;
}

ssize_t read(int fd, void *to, size_t bytes) {
    int error = errno;
    ssize_t some = given(fd, lseek(fd, 0, SEEK_CUR), bytes);
    if (some < 0) return -1;
    errno = error;
    return syscall(SYS_read, fd, to, some);
}

ssize_t pread64(int fd, void *to, size_t bytes, off64_t at) {
    ssize_t some = given(fd, at, bytes);
    return some < 0 ? -1 : syscall(SYS_pread64, fd, to, some, at);
}
