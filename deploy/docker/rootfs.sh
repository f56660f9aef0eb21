#!/bin/sh
# Makes the root file system of the image: rootfs.sh PROGRAM FOLDER. The program, the libraries that it is linked to, the
# certificates of authorities, and no shell.
set -eu
program=$1
folder=$2
mkdir -p "$folder/usr/bin" "$folder/etc/ssl/certs" "$folder/data"
install -m 0755 "$program" "$folder/usr/bin/cofre"
# Each line names a library by its path, and the loader among them.
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$folder$(dirname "$library")"
    install -m 0755 "$(readlink -f "$library")" "$folder$library"
done
install -m 0644 /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
echo 'hosts: files dns' > "$folder/etc/nsswitch.conf"
printf 'root:x:0:0::/:\ncofre:x:65532:65532::/data:\n' > "$folder/etc/passwd"
printf 'root:x:0:\ncofre:x:65532:\n' > "$folder/etc/group"
chown 65532:65532 "$folder/data"
chmod 0700 "$folder/data"
