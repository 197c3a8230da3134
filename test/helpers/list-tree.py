# Prints each file of a file system as a line, for comparing: its path, when it was changed, and the rest. Runs in the image,
# with its own Python, which may be a minimal one.
import hashlib, os, stat, sys

def describe(path, info):
    entry = ["mode=%o" % info.st_mode, "owner=%d:%d" % (info.st_uid, info.st_gid)]
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        entry.append("%s=%s" % (name, os.getxattr(path, name, follow_symlinks=False).hex()))
    if stat.S_ISLNK(info.st_mode):
        entry.append("target=%r" % os.readlink(path))
    elif stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            entry.append("links=%d sha256=%s" % (info.st_nlink, hashlib.sha256(file.read()).hexdigest()))
    elif stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
        entry.append("device=%d" % info.st_rdev)
    return " ".join(entry)

for directory, names, files in os.walk("/"):
    links = [name for name in names if os.path.islink(os.path.join(directory, name))]
    for path in [directory] + [os.path.join(directory, name) for name in files + links]:
        info = os.lstat(path)
        sys.stdout.write("%s\t%d\t%s\n" % (path, info.st_mtime_ns, describe(path, info)))
