/* Loaded with LD_PRELOAD: does every call that changes a file under a
 * directory, and writes down that it did, so that tests/it/power can take away
 * again what was never synced.
 *
 *   POWER_ROOT     the directory, without links
 *   POWER_JOURNAL  where it is written down, outside of the directory
 *   POWER_MARK     files whose names begin so are not files: what is
 *                  written to them stands in the journal as a mark
 *   POWER_DIE      the process kills itself after so many lines of it,
 *                  or, where that is no number, after the first mark
 *
 * Each call and its line are one step under a lock, so that the journal has
 * the order in which things happened; only a sync runs beside others, between
 * a line at its begin and one at its end. What is not modelled aborts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* A line: this head, then `name` and `data`. */
struct line {
    uint32_t op, name, data, zero;
    uint64_t inode, at;
};

enum { BEGUN, FILE_MADE, DIR_MADE, RENAMED, GONE, LINKED, WRITTEN, CUT, SYNC, SYNCED, DATASYNC, DATASYNCED, MARK };

#define REAL(name) real_##name
#define DECLARE(type, name, ...) static type (*REAL(name))(__VA_ARGS__)
DECLARE(int, openat, int, const char *, int, ...);
DECLARE(ssize_t, write, int, const void *, size_t);
DECLARE(ssize_t, pwrite64, int, const void *, size_t, off64_t);
DECLARE(ssize_t, writev, int, const struct iovec *, int);
DECLARE(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
DECLARE(int, ftruncate64, int, off64_t);
DECLARE(int, fallocate64, int, int, off64_t, off64_t);
DECLARE(int, fsync, int);
DECLARE(int, fdatasync, int);
DECLARE(int, renameat2, int, const char *, int, const char *, unsigned int);
DECLARE(int, unlinkat, int, const char *, int);
DECLARE(int, mkdirat, int, const char *, mode_t);
DECLARE(int, linkat, int, const char *, int, const char *, int);
DECLARE(int, symlinkat, const char *, int, const char *);
DECLARE(void *, mmap64, void *, size_t, int, int, int, off64_t);
DECLARE(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned int);
DECLARE(ssize_t, sendfile64, int, int, off64_t *, size_t);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *mark;
static long lines_left = -1; /* 0: until a mark */
static int journal = -1;

static void note(int op, uint64_t inode, uint64_t at, const char *name, const struct iovec *data, size_t length);

__attribute__((constructor)) static void begin(void) {
#define FIND(name) *(void **)&REAL(name) = dlsym(RTLD_NEXT, #name)
    FIND(openat), FIND(write), FIND(pwrite64), FIND(writev), FIND(pwritev64);
    FIND(ftruncate64), FIND(fallocate64), FIND(fsync), FIND(fdatasync);
    FIND(renameat2), FIND(unlinkat), FIND(mkdirat), FIND(linkat), FIND(symlinkat);
    FIND(mmap64), FIND(copy_file_range), FIND(sendfile64);
    const char *path = getenv("POWER_JOURNAL"), *die = getenv("POWER_DIE");
    root = getenv("POWER_ROOT");
    mark = getenv("POWER_MARK");
    if (!path || !root || !mark) {
        root = NULL;
        return;
    }
    if (die) lines_left = atol(die);
    journal = REAL(openat)(AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal < 0) abort();
    note(BEGUN, 0, 0, NULL, NULL, 0);
}

static void cannot(const char *what) {
    fprintf(stderr, "power: %s is not modelled\n", what);
    abort();
}

static int below(const char *path, const char *top) {
    size_t length = top ? strlen(top) : 0;
    return length && !strncmp(path, top, length);
}

static int inside(const char *path) {
    return root && below(path, root) && (path[strlen(root)] == '/' || !path[strlen(root)]);
}

/* The path that a descriptor was opened by, or by which it is known now. */
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int watched(int fd) {
    char path[PATH_MAX];
    int before = errno, is = root && path_of(fd, path) && (inside(path) || below(path, mark));
    errno = before;
    return is;
}

/* The whole path that a call names; false where it is none of ours. */
static int named(int dir, const char *path, char *whole) {
    char top[PATH_MAX];
    int length, before = errno;
    if (!root) return 0;
    if (path[0] == '/') {
        length = snprintf(whole, PATH_MAX, "%s", path);
    } else {
        if (dir == AT_FDCWD ? !getcwd(top, sizeof top) : !path_of(dir, top)) cannot("this directory");
        length = snprintf(whole, PATH_MAX, "%s/%s", top, path);
    }
    errno = before;
    if (length >= PATH_MAX) cannot("so long a path");
    while (length > 1 && whole[length - 1] == '/') whole[--length] = 0;
    return inside(whole);
}

static void put(const void *data, size_t length) {
    while (length) {
        ssize_t done = REAL(write)(journal, data, length);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) abort();
        data = (const char *)data + done;
        length -= (size_t)done;
    }
}

/* Writes a line; the lock is held. */
static void note(int op, uint64_t inode, uint64_t at, const char *name, const struct iovec *data, size_t length) {
    int before = errno;
    struct line line = {(uint32_t)op, name ? (uint32_t)strlen(name) : 0, (uint32_t)length, 0, inode, at};
    put(&line, sizeof line);
    if (name) put(name, line.name);
    for (; length; data++) {
        size_t part = data->iov_len < length ? data->iov_len : length;
        put(data->iov_base, part);
        length -= part;
    }
    if (lines_left > 0 ? !--lines_left : !lines_left && op == MARK) kill(getpid(), SIGKILL);
    errno = before;
}

static void note_text(int op, uint64_t inode, const char *name, const char *text) {
    struct iovec data = {(void *)text, text ? strlen(text) : 0};
    note(op, inode, 0, name, &data, data.iov_len);
}

static uint64_t inode_of(int fd, uint64_t *size) {
    struct stat64 is;
    if (fstat64(fd, &is)) abort();
    if (size) *size = (uint64_t)is.st_size;
    return is.st_ino;
}

/* What was written, up to where; the lock is held. */
static void note_write(int fd, const struct iovec *data, ssize_t done, off64_t at) {
    char path[PATH_MAX];
    if (done <= 0) return;
    if (path_of(fd, path) && below(path, mark)) note(MARK, 0, 0, NULL, data, (size_t)done);
    else note(WRITTEN, inode_of(fd, NULL), (uint64_t)at, NULL, data, (size_t)done);
}

static int open_noted(int dir, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    struct stat64 is;
    if (!named(dir, path, whole) || !(flags & (O_CREAT | O_TRUNC))) return REAL(openat)(dir, path, flags, mode);
    if ((flags & O_TMPFILE) == O_TMPFILE) cannot("O_TMPFILE");
    pthread_mutex_lock(&lock);
    int was = !lstat64(whole, &is);
    int fd = REAL(openat)(dir, path, flags, mode);
    if (fd >= 0) {
        uint64_t inode = inode_of(fd, NULL);
        if (!was) note_text(FILE_MADE, inode, whole, NULL);
        else if (flags & O_TRUNC && is.st_size) note(CUT, inode, 0, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) { MODE(flags) return open_noted(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_noted(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return open_noted(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return open_noted(dir, path, flags, mode); }
int creat(const char *path, mode_t mode) {
    return open_noted(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* Does `call`; whatever is noted belongs to it and to nothing else. */
#define STEP(type, fd, call, noted) \
    if (!watched(fd)) return call; \
    pthread_mutex_lock(&lock); \
    type done = call; \
    noted; \
    pthread_mutex_unlock(&lock); \
    return done;

ssize_t write(int fd, const void *data, size_t length) {
    struct iovec one = {(void *)data, length};
    STEP(ssize_t, fd, REAL(write)(fd, data, length), note_write(fd, &one, done, lseek64(fd, 0, SEEK_CUR) - done))
}
ssize_t writev(int fd, const struct iovec *data, int count) {
    STEP(ssize_t, fd, REAL(writev)(fd, data, count), note_write(fd, data, done, lseek64(fd, 0, SEEK_CUR) - done))
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    struct iovec one = {(void *)data, length};
    STEP(ssize_t, fd, REAL(pwrite64)(fd, data, length, at), note_write(fd, &one, done, at))
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }
ssize_t pwritev64(int fd, const struct iovec *data, int count, off64_t at) {
    STEP(ssize_t, fd, REAL(pwritev64)(fd, data, count, at), note_write(fd, data, done, at))
}
ssize_t pwritev(int fd, const struct iovec *data, int count, off_t at) { return pwritev64(fd, data, count, at); }
ssize_t pwritev64v2(int fd, const struct iovec *data, int count, off64_t at, int flags) {
    if (watched(fd) && (flags || at < 0)) cannot("pwritev2 with flags");
    return pwritev64(fd, data, count, at);
}
ssize_t pwritev2(int fd, const struct iovec *data, int count, off_t at, int flags) {
    return pwritev64v2(fd, data, count, at, flags);
}

int ftruncate64(int fd, off64_t size) {
    STEP(int, fd, REAL(ftruncate64)(fd, size), if (!done) note(CUT, inode_of(fd, NULL), (uint64_t)size, NULL, NULL, 0))
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* Room that is made at the end is a file that grows; more is not modelled. */
static void note_room(int fd, int done) {
    uint64_t size, inode = inode_of(fd, &size);
    if (!done) note(CUT, inode, size, NULL, NULL, 0);
}
int fallocate64(int fd, int mode, off64_t at, off64_t length) {
    if (mode && watched(fd)) cannot("fallocate with a mode");
    STEP(int, fd, REAL(fallocate64)(fd, mode, at, length), note_room(fd, done))
}
int fallocate(int fd, int mode, off_t at, off_t length) { return fallocate64(fd, mode, at, length); }

/* Covers what was written before it began, from when it has ended. That
 * `sync_file_range` is not here is the point of it all: it is no barrier. */
static int sync_noted(int fd, int (*real)(int), int begun, int ended) {
    if (!watched(fd)) return real(fd);
    pthread_mutex_lock(&lock);
    note(begun, inode_of(fd, NULL), 0, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    int done = real(fd);
    if (done) return done;
    pthread_mutex_lock(&lock);
    note(ended, inode_of(fd, NULL), 0, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}
int fsync(int fd) { return sync_noted(fd, REAL(fsync), SYNC, SYNCED); }
int fdatasync(int fd) { return sync_noted(fd, REAL(fdatasync), DATASYNC, DATASYNCED); }

/* Changes of names: the path, and what else there is to say. */
#define RENAME_STEP(call, noted) \
    pthread_mutex_lock(&lock); \
    int done = call; \
    if (!done) noted; \
    pthread_mutex_unlock(&lock); \
    return done;

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    int leaves = named(from_dir, from, old), comes = named(to_dir, to, new);
    if (!leaves && !comes) return REAL(renameat2)(from_dir, from, to_dir, to, flags);
    if (!leaves || !comes || flags & ~RENAME_NOREPLACE) cannot("this rename");
    RENAME_STEP(REAL(renameat2)(from_dir, from, to_dir, to, flags), note_text(RENAMED, 0, old, new))
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return renameat2(from_dir, from, to_dir, to, 0);
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int dir, const char *path, int flags) {
    char whole[PATH_MAX];
    if (!named(dir, path, whole)) return REAL(unlinkat)(dir, path, flags);
    RENAME_STEP(REAL(unlinkat)(dir, path, flags), note_text(GONE, 0, whole, NULL))
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    int done = unlink(path);
    return done && errno == EISDIR ? rmdir(path) : done;
}

static uint64_t inode_at(const char *path) {
    struct stat64 is;
    if (lstat64(path, &is)) abort();
    return is.st_ino;
}
int mkdirat(int dir, const char *path, mode_t mode) {
    char whole[PATH_MAX];
    if (!named(dir, path, whole)) return REAL(mkdirat)(dir, path, mode);
    RENAME_STEP(REAL(mkdirat)(dir, path, mode), note_text(DIR_MADE, inode_at(whole), whole, NULL))
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    int leaves = named(from_dir, from, old), comes = named(to_dir, to, new);
    if (!leaves && !comes) return REAL(linkat)(from_dir, from, to_dir, to, flags);
    if (!leaves || !comes || flags) cannot("this link");
    RENAME_STEP(REAL(linkat)(from_dir, from, to_dir, to, flags), note_text(LINKED, 0, old, new))
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* What nobody here does, or what has another way of doing it. */
int symlinkat(const char *what, int dir, const char *path) {
    char whole[PATH_MAX];
    if (named(dir, path, whole)) cannot("symlink");
    return REAL(symlinkat)(what, dir, path);
}
int symlink(const char *what, const char *path) { return symlinkat(what, AT_FDCWD, path); }

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t at) {
    if (fd >= 0 && flags & MAP_SHARED && protection & PROT_WRITE && watched(fd)) cannot("mmap for writing");
    return REAL(mmap64)(where, length, protection, flags, fd, at);
}
void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t at) {
    return mmap64(where, length, protection, flags, fd, at);
}

/* Refused as by an old kernel, so that whoever copies reads and writes. */
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned int flags) {
    if (!watched(to)) return REAL(copy_file_range)(from, from_at, to, to_at, length, flags);
    return errno = ENOSYS, -1;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
    if (!watched(to)) return REAL(sendfile64)(to, from, at, length);
    return errno = ENOSYS, -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t length) { return sendfile64(to, from, at, length); }
