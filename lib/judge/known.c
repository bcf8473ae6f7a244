/* SPDX-License-Identifier: MIT */
#include "judge/known.h"

#include <string.h>

#define SYSTEM_LAST 1023 /* RFC 6335: below, ports are assigned by review only */

/* What may stand before any service (nginx, apache2, haproxy, envoy, stunnel) is left out on
 * purpose. */
static const struct known_program programs[] = {
	{ "sshd", "ssh", false },
	{ "sshd-session", "ssh", false },
	{ "dropbear", "ssh", false },
	{ "lighttpd", "http,https,http-alt", false },
	{ "squid", "http,https,http-alt,squid-http,ndl-aas", false },
	{ "postgres", "postgresql", true },
	{ "mysqld", "mysql", true },
	{ "mariadbd", "mysql", true },
	{ "redis-server", "redis", true },
	{ "redis-check-rdb", "redis", true }, /* Debian's redis-server is a link to it */
	{ "memcached", "memcache", true },
	{ "mongod", "mongodb", true },
	{ "named", "domain,domain-s,rndc,http,https,mdns", false },
	/* questions leave from ports of their own choice: outgoing-port-avoid, min-port */
	{ "unbound", "domain,domain-s,https,mdns", false, .picks_udp_from = 1024 },
	{ "dnsmasq", "domain,bootps,dhcpv6-server,tftp,mdns", false, .picks_udp_from = 1024 },
	{ "systemd-resolved", "domain,hostmon,mdns", true },
	{ "systemd-resolve", "domain,hostmon,mdns", true },
	{ "chronyd", "ntp,ntske", false },
	{ "ntpd", "ntp", false },
	{ "systemd-timesyncd", "ntp", false },
	{ "exim4", "smtp,submission,submissions", true },
	{ "master", "smtp,submission,submissions,qmqp", false },
	{ "sendmail-mta", "smtp,submission,submissions", true },
	{ "dovecot", "pop3,pop3s,imap,imaps,sieve,submission,submissions", false },
	{ "imap-login", "imap,imaps", false },
	{ "pop3-login", "pop3,pop3s", false },
	{ "smbd", "microsoft-ds,netbios-ssn", false },
	{ "nmbd", "netbios-ns,netbios-dgm", false },
	{ "cupsd", "ipp", true },
	{ "rsync", "rsync", false },
	{ "vsftpd", "ftp,ftps,ftp-data,ftps-data", false, 1024 },
	{ "proftpd", "ftp,ftps,ftp-data,ftps-data", false, 1024 },
	{ "snmpd", "snmp,snmp-trap,smux,agentx", true },
	{ "slapd", "ldap,ldaps", false },
	{ "in.tftpd", "tftp", false },
	{ "rpcbind", "sunrpc", false, 512 },
	{ "dhclient", "bootpc,dhcpv6-client", false },
	{ "dhcpd", "bootps,dhcpv6-server,dhcp-failover,dhcp-failover2", false },
	{ "avahi-daemon", "mdns", false },
	{ "git-daemon", "git", false },
	{ "dockerd", "docker,docker-s", true },
};

static bool bytes_are_text(const struct pv_bytes *b, const char *text)
{
	return b->len == strlen(text) && !memcmp(b->data, text, b->len);
}

const struct known_program *known_program(const struct pv_bytes *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (bytes_are_text(name, programs[i].name))
			return &programs[i];
	return NULL;
}

bool known_serves(const struct known_program *p, const char *service)
{
	size_t n = strlen(service);

	for (const char *s = p->services; s; s = strchr(s, ',')) {
		s += *s == ',';
		if (!strncmp(s, service, n) && (s[n] == ',' || !s[n]))
			return true;
	}
	return false;
}

bool known_contradicts(const struct known_program *p, enum pv_transport transport, uint16_t port,
		       const char *service)
{
	/* of registered ports: those of services that are run on many hosts, by their own number */
	static const char *const common[] = {
		"socks",       "openvpn",      "ms-sql-s",     "ms-sql-m",    "ncube-lm",
		"l2tp",	       "pptp",	       "radius",       "radius-acct", "mqtt",
		"secure-mqtt", "ssdp",	       "nfs",	       "docker",      "docker-s",
		"etcd-client", "iscsi-target", "msft-gc",      "mysql",	      "ms-wbt-server",
		"stun",	       "svn",	       "ws-discovery", "sieve",	      "epmd",
		"ipsec-nat-t", "sip",	       "sips",	       "xmpp-client", "xmpp-server",
		"mdns",	       "hostmon",      "postgresql",   "nrpe",	      "amqp",
		"amqps",       "rfb",	       "teamviewer",   "wsman",	      "wsmans",
		"redis",       "syslog-tls",   "ircu",	       "ircs-u",      "hp-pdl-datastr",
		"git",	       "zabbix-agent", "memcache",     "mongodb",     "wireguard",
	};

	uint16_t from = p->picks_from			? p->picks_from
			: transport == PV_TRANSPORT_UDP ? p->picks_udp_from
							: 0;

	if (known_serves(p, service) || (from && port >= from))
		return false;
	for (size_t i = 0; port > SYSTEM_LAST && i < sizeof(common) / sizeof(*common); i++)
		if (!strcmp(common[i], service))
			return true;
	return port <= SYSTEM_LAST;
}
