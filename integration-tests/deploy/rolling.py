"""Cofre restarts behind HAProxy while clients write and read: no request fails. The clients try nothing again."""

import csv
import socket
import threading

import machine
import proxies
import servers

CLIENTS = 6
RESTARTS = 3
# Checks of HAProxy that find nobody, two a second: longer than it holds a request by itself.
CHECKS = 12
# Requests between two restarts, at the least.
REQUESTS_MIN = 60


def failed_checks():
    """How often HAProxy has asked Cofre how it is, and had no good answer."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(proxies.HAPROXY_SOCKET)
        asked.sendall(b"show stat\n")
        lines = asked.makefile().read().removeprefix("# ").splitlines()
    server = next(row for row in csv.DictReader(lines) if (row["pxname"], row["svname"]) == ("cofre", "one"))
    return int(server["chkfail"])


class Load:
    """Clients that go on until they are told to stop, and what went wrong."""

    def __init__(self):
        self.ending, self.done, self.failures = threading.Event(), [0] * CLIENTS, []
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(CLIENTS)]

    def work(self, number):
        s3 = proxies.client(s3={"addressing_style": "path"})
        turn = 0
        while not self.ending.is_set():
            turn += 1
            # Some are under way for a while: those a restart waits for.
            body = b"%d" % turn * (2_000_000 if turn % 20 == 0 else 100)
            try:
                s3.put_object(Bucket="media", Key=f"{number}", Body=body)
                if s3.get_object(Bucket="media", Key=f"{number}")["Body"].read() != body:
                    self.failures.append(f"{number} reads what it did not write")
            except Exception as error:
                self.failures.append(f"client {number}, turn {turn}: {error}")
            self.done[number] += 2

    def wait(self, count):
        """Waits until each client has sent that many more."""
        before = list(self.done)

        def reached():
            return self.failures or all(self.done[number] >= before[number] + count for number in range(CLIENTS))

        servers.until("requests", reached, 120)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def main():
    cert, key = servers.certificate("/etc/tls", *proxies.NAMES)
    cofre = servers.Cofre(trusted_proxies="127.0.0.1").ready()
    haproxy = proxies.haproxy(cert, key)
    cofre.tell_clients("https://s3.example.com", cert)
    proxies.client().create_bucket(Bucket="media")
    with Load() as load:
        for _ in range(RESTARTS):
            load.wait(REQUESTS_MIN // CLIENTS)
            cofre.stop()
            # Each client has a request that waits.
            wanted = failed_checks() + CHECKS
            servers.until("checks", lambda wanted=wanted: failed_checks() >= wanted)
            cofre.ready()
            load.wait(REQUESTS_MIN // CLIENTS)
    assert not load.failures, (
        f"{len(load.failures)} of {sum(load.done)} failed:\n" + "\n".join(load.failures[:10]) + haproxy.said()
    )
    cofre.clean()
    print(f"{sum(load.done)} requests over {RESTARTS} restarts: checks passed")


if __name__ == "__main__":
    machine.enter()
    main()
