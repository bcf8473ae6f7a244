#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""No false alarms: ordinary servers and clients of Debian, started as they are used, none suspicious, none unexplained."""
import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys

import live
import scene

HOME = "/srv"


def write(name, text, mode=0o644):
    path = os.path.join(HOME, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def folder(name, user="root"):
    path = os.path.join(HOME, name)
    os.makedirs(path, exist_ok=True)
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    return path


def quiet(*command, **kwargs):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120, **kwargs)


def as_user(user, *command):
    return ("setpriv", "--reuid", user, "--regid", user, "--clear-groups", *command)


def ssh():
    for name in ("host", "key"):
        quiet("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", HOME + "/ssh_" + name)
    os.makedirs("/run/sshd", exist_ok=True)
    config = write("sshd.conf", "ListenAddress 127.0.0.1:22\nHostKey /srv/ssh_host\nPidFile none\nUsePAM no\n"
                   "StrictModes no\nPermitRootLogin yes\nAuthorizedKeysFile /srv/ssh_key.pub\n")
    return ["/usr/sbin/sshd", "-D", "-f", config]


def ssh_client():
    return ["ssh", "-i", HOME + "/ssh_key", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-N", "root@127.0.0.1"]


def nginx():
    folder("www")
    with open(HOME + "/www/large", "wb") as f:
        f.truncate(50 << 20)
    config = write("nginx.conf", "worker_processes 2; pid /srv/nginx.pid; error_log /dev/null;\nevents {}\n"
                   "http { access_log off; server { listen 127.0.0.1:80; root /srv/www; } }\n")
    return ["/usr/sbin/nginx", "-g", "daemon off;", "-c", config]


def curl():
    return ["curl", "-s", "--limit-rate", "50k", "-o", "/dev/null", "http://127.0.0.1/large"]


def apache():
    config = write("apache.conf", "ServerName localhost\nListen 127.0.0.1:8080\nPidFile /srv/apache.pid\n"
                   "DefaultRuntimeDir /srv\nErrorLog /dev/null\nUser www-data\nGroup www-data\n"
                   "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n"
                   "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n")
    return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", config]


def postgres():
    data = folder("postgres", "postgres")
    bin_folder = sorted(os.listdir("/usr/lib/postgresql"))[-1]
    tool = "/usr/lib/postgresql/%s/bin/" % bin_folder
    quiet(*as_user("postgres", tool + "initdb", "-D", data, "-A", "trust", "--no-sync"), cwd=data)
    return list(as_user("postgres", tool + "postgres", "-D", data, "-h", "127.0.0.1", "-k", data, "-F"))


def psql():
    return [*as_user("postgres", "psql", "-h", "127.0.0.1", "-c", "select pg_sleep(600)")]


def redis():
    folder("redis", "redis")
    return list(as_user("redis", "redis-server", "--bind", "127.0.0.1", "--dir", HOME + "/redis", "--save", ""))


def redis_client():
    return ["redis-cli", "-h", "127.0.0.1", "subscribe", "channel"]


def mariadb():
    data = folder("mysql", "mysql")
    quiet("mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir=" + data, "--skip-test-db",
          "--auth-root-authentication-method=normal", stderr=subprocess.DEVNULL)
    return ["mariadbd", "--no-defaults", "--user=mysql", "--datadir=" + data, "--bind-address=127.0.0.1",
            "--socket=" + data + "/sock", "--skip-log-bin", "--innodb-flush-method=fsync"]


def mariadb_client():
    return ["mariadb", "--no-defaults", "-h", "127.0.0.1", "-u", "root", "--ssl=0", "-e", "select sleep(600)"]


def dnsmasq():
    return ["/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--listen-address=127.0.0.1",
            "--bind-interfaces", "--no-resolv", "--no-hosts", "--pid-file", "--user=nobody"]


def chrony():
    config = write("chrony.conf", "local stratum 10\nallow 127.0.0.1\nbindaddress 127.0.0.1\nbindcmdaddress 127.0.0.1\n"
                   "pidfile /srv/chrony.pid\n")
    return ["/usr/sbin/chronyd", "-d", "-x", "-u", "root", "-f", config]


def rsync():
    config = write("rsync.conf", "use chroot = no\npid file = /srv/rsync.pid\n[www]\npath = /srv/www\n")
    return ["rsync", "--daemon", "--no-detach", "--address=127.0.0.1", "--config=" + config]


def rsync_client():
    return ["rsync", "--bwlimit=100", "rsync://127.0.0.1/www/large", HOME + "/copy"]


def exim():
    config = write("exim.conf", "primary_hostname = localhost\nspool_directory = /srv/exim\nlog_file_path = /srv/exim/%s\n"
                   "local_interfaces = 127.0.0.1\ndaemon_smtp_ports = 25\nhost_lookup =\ntls_advertise_hosts =\n"
                   "pid_file_path = /srv/exim/pid\n")
    folder("exim", "Debian-exim")
    return ["/usr/sbin/exim4", "-C", config, "-bdf", "-q1h"]


def dovecot():
    folder("dovecot")
    config = write("dovecot.conf", "base_dir = /srv/dovecot\nprotocols = imap pop3\nlisten = 127.0.0.1\nssl = no\n"
                   "log_path = /srv/dovecot.log\nservice imap-login {\n inet_listener imap {\n port = 143\n }\n"
                   " inet_listener imaps {\n port = 0\n }\n}\npassdb {\n driver = static\n args = nopassword=y\n}\n"
                   "userdb {\n driver = static\n args = uid=65534 gid=65534 home=/srv\n}\n")
    return ["/usr/sbin/dovecot", "-F", "-c", config]


def samba():
    for name in ("lock", "state", "cache", "pid", "private", "ncalrpc"):
        folder("samba/" + name)
    config = write("samba/smb.conf", "[global]\ninterfaces = 127.0.0.1\nbind interfaces only = yes\nsmb ports = 445\n"
                   "lock directory = /srv/samba/lock\nstate directory = /srv/samba/state\n"
                   "cache directory = /srv/samba/cache\npid directory = /srv/samba/pid\nlog file = /dev/null\n"
                   "private dir = /srv/samba/private\nncalrpc dir = /srv/samba/ncalrpc\ndisable netbios = yes\n"
                   "disable spoolss = yes\n")
    return ["/usr/sbin/smbd", "-F", "--no-process-group", "-s", config]


def cups():
    folder("cups/spool")
    files = write("cups/files", "ServerRoot /srv/cups\nRequestRoot /srv/cups/spool\nStateDir /srv/cups\n"
                  "CacheDir /srv/cups\nErrorLog /srv/cups/error\nAccessLog /srv/cups/access\nTempDir /srv/cups\n")
    config = write("cups/cupsd", "Listen 127.0.0.1:631\nBrowsing Off\n")
    return ["/usr/sbin/cupsd", "-f", "-c", config, "-s", files]


def squid():
    folder("squid", "proxy")
    config = write("squid_conf", "http_port 127.0.0.1:3128\nhttp_access allow all\npid_filename /srv/squid/pid\n"
                   "cache_log /dev/null\naccess_log none\ncache_effective_user proxy\nvisible_hostname localhost\n"
                   "coredump_dir /srv/squid\npinger_enable off\nshutdown_lifetime 1 seconds\n"
                   "max_filedescriptors 1024\n")
    return ["/usr/sbin/squid", "-N", "-f", config]


def haproxy():
    config = write("haproxy.conf", "defaults\n mode http\n timeout client 600s\n timeout server 600s\n timeout connect 5s\n"
                   "frontend f\n bind 127.0.0.1:8000\n default_backend b\nbackend b\n server s 127.0.0.1:80\n")
    return ["/usr/sbin/haproxy", "-db", "-f", config]


def git():
    folder("git")
    return ["git", "daemon", "--listen=127.0.0.1", "--base-path=/srv/git", "--reuseaddr"]


def snmp():
    config = write("snmp.conf", "agentAddress udp:127.0.0.1:161\nrocommunity public 127.0.0.1\n")
    return ["/usr/sbin/snmpd", "-f", "-C", "-c", config, "-Lf", "/dev/null", "-p", "/srv/snmp.pid"]


def mosquitto():
    config = write("mosquitto.conf", "listener 1883 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n")
    return ["/usr/sbin/mosquitto", "-c", config]


def mosquitto_client():
    return ["mosquitto_sub", "-h", "127.0.0.1", "-t", "topic"]


def memcached():
    return ["memcached", "-l", "127.0.0.1", "-u", "nobody"]


# name: what starts it, the program that holds the socket, TCP port it listens at (or ("udp", port)), or None: a client
SERVERS = [
    ("openssh-server", ssh, "sshd", 22), ("nginx", nginx, "nginx", 80), ("apache2", apache, "apache2", 8080),
    ("postgresql", postgres, "postgres", 5432), ("redis-server", redis, "redis-check-rdb|redis-server", 6379),
    ("mariadb-server", mariadb, "mariadbd", 3306), ("dnsmasq", dnsmasq, "dnsmasq", 53),
    ("chrony", chrony, "chronyd", ("udp", 123)), ("rsync", rsync, "rsync", 873), ("exim4", exim, "exim4", 25),
    ("dovecot", dovecot, "dovecot", 143), ("samba", samba, "smbd", 445), ("cups", cups, "cupsd", 631),
    ("squid", squid, "squid", 3128), ("haproxy", haproxy, "haproxy", 8000), ("git daemon", git, "git-daemon|git", 9418),
    ("snmpd", snmp, "snmpd", ("udp", 161)), ("mosquitto", mosquitto, "mosquitto", 1883),
    ("memcached", memcached, "memcached", 11211),
]
CLIENTS = [
    ("ssh", ssh_client, "ssh", 22), ("curl", curl, "curl", 80), ("psql", psql, "psql", 5432),
    ("redis-cli", redis_client, "redis-cli|redis-check-rdb|redis-benchmark", 6379),
    ("mariadb", mariadb_client, "mariadb", 3306), ("rsync client", rsync_client, "rsync", 873),
    ("mosquitto_sub", mosquitto_client, "mosquitto_sub", 1883),
]


def is_up(port):
    kind, number = port if isinstance(port, tuple) else ("tcp", port)
    if kind == "tcp":
        return scene.listens(number) or scene.listens(number, "/proc/net/tcp6")
    with open("/proc/net/udp") as f:
        return any(line.split()[1].endswith(":%04X" % number) for line in f.readlines()[1:])


def is_connected(port):
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return any(r[2].endswith(":%04X" % port) and r[3] == "01" for r in rows)


def is_logged_in():
    """sshd's process for the login has ended: until then two hold the conversation."""
    titles = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open("/proc/%s/cmdline" % pid, "rb") as f:
            titles.append(f.read().split(b"\0")[0])
    sessions = [title for title in titles if title.startswith(b"sshd") and b": root" in title]
    return sessions and not any(b"[" in title for title in sessions)


def start(s, make, log):
    with open(log, "wb") as out:
        return s.start(*make(), stdout=out, stderr=out, cwd=HOME)


def wait(name, process, log, condition):
    def ready():
        if process.poll() is not None:
            with open(log, "rb") as f:
                raise AssertionError("%s ended: %s" % (name, f.read()[-600:].decode(errors="replace")))
        return condition()
    scene.wait_until(name, ready, 60)


def program(owner):
    return os.path.basename(re.sub(r" \(deleted\)$", "", owner["exe"] or "?"))


def table(doc):
    """Verdicts by program."""
    counts = {}
    for finding in doc["findings"]:
        owners = finding["conversation"]["owners"] or []
        name = ", ".join(sorted({program(o) for o in owners})) or "(no process)"
        row = counts.setdefault(name, {"explained": 0, "unexplained": 0, "suspicious": 0})
        row[finding["verdict"]] += 1
    print("%-40s %10s %12s %11s" % ("program", "explained", "unexplained", "suspicious"))
    for name, row in sorted(counts.items()):
        print("%-40s %10d %12d %11d" % (name, row["explained"], row["unexplained"], row["suspicious"]))
    return counts


def test_ordinary():
    with scene.Scene() as s:
        running = []
        for name, make, exe, port in SERVERS:
            log = "%s/log.%s" % (HOME, name.replace(" ", "_"))
            running.append((name, start(s, make, log), log, exe, port))
        for name, process, log, exe, port in running:
            wait(name, process, log, lambda port=port: is_up(port))
        for name, make, exe, port in CLIENTS:
            log = "%s/log.%s" % (HOME, name.replace(" ", "_"))
            process = start(s, make, log)
            wait(name, process, log, lambda port=port: is_connected(port))
        scene.wait_until("ssh is logged in", is_logged_in)
        doc = scene.audit()
        counts = table(doc)
        wrong = [(f["verdict"], f["rules"], f["evidence"], f["conversation"]["local_port"]) for f in doc["findings"]
                 if f["verdict"] != "explained"]
        live.equal(wrong, [], "false alarms")
        for name, make, exe, port in SERVERS + CLIENTS:
            live.holds(any(set(exe.split("|")) & set(row.split(", ")) for row in counts), "%s was judged" % name)
        live.holds(len(SERVERS) >= 15, "at least 15 servers")
        live.equal(doc["exit"], 0, "exit status")


live.main(globals(), pid=True)
