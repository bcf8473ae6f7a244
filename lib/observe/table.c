/* SPDX-License-Identifier: MIT */
/*
 * The protocols: names, probes, and the services of the registry each is at home under. The order
 * is that of asking; no bytes are taken for two protocols, which a test proves on every sample.
 */
#include <stdio.h>

#include "observe/observe-internal.h"

#define TCP PROBE_TCP
#define UDP PROBE_UDP
#define BOTH PROBE_FLAG_BOTH
#define EVERY PROBE_FLAG_EVERY
#define CARRIER PROBE_FLAG_CARRIER

const struct observe_protocol observe_protocols[OBSERVE_N] = {
	[OBSERVE_NONE] = { "", "", NULL, 0, 0, "" },
	[OBSERVE_TLS] = { "tls", "TLS", observe_tls_probe, TCP, BOTH | CARRIER,
			  "https domain-s ldaps imaps pop3s submissions ftps ftps-data telnets "
			  "ircs-u secure-mqtt sips nntps" },
	[OBSERVE_QUIC] = { "quic", "QUIC", observe_quic_probe, UDP, CARRIER,
			   "https http domain-s" },
	[OBSERVE_HTTP] = { "http", "HTTP", observe_http_probe, TCP | UDP, CARRIER,
			   "http http-alt ipp ssdp http-mgmt http-wmap multiling-http www-dev" },
	[OBSERVE_HTTP2] = { "http2", "HTTP/2", observe_http2_probe, TCP, CARRIER, "http http-alt" },
	[OBSERVE_DNS] = { "dns", "DNS", observe_dns_probe, TCP | UDP, BOTH | EVERY,
			  "domain mdns llmnr" },
	[OBSERVE_SSH] = { "ssh", "SSH", observe_ssh_probe, TCP, BOTH,
			  "ssh sftp netconf-ssh snmpssh" },
	[OBSERVE_SMTP] = { "smtp", "SMTP", observe_smtp_probe, TCP, 0, "smtp submission" },
	[OBSERVE_FTP] = { "ftp", "FTP", observe_ftp_probe, TCP, 0, "ftp" },
	[OBSERVE_POP3] = { "pop3", "POP3", observe_pop3_probe, TCP, 0, "pop3" },
	[OBSERVE_IMAP] = { "imap", "IMAP", observe_imap_probe, TCP, 0, "imap" },
	[OBSERVE_DHCP] = { "dhcp", "DHCP", observe_dhcp_probe, UDP, 0, "bootps bootpc" },
	[OBSERVE_NTP] = { "ntp", "NTP", observe_ntp_probe, UDP, 0, "ntp" },
	[OBSERVE_SNMP] = { "snmp", "SNMP", observe_snmp_probe, UDP, 0, "snmp snmptrap" },
	[OBSERVE_TFTP] = { "tftp", "TFTP", observe_tftp_probe, UDP, 0, "tftp" },
	[OBSERVE_MQTT] = { "mqtt", "MQTT", observe_mqtt_probe, TCP, 0, "mqtt" },
	[OBSERVE_POSTGRESQL] = { "postgresql", "PostgreSQL", observe_postgresql_probe, TCP, 0,
				 "postgresql" },
	[OBSERVE_MYSQL] = { "mysql", "MySQL", observe_mysql_probe, TCP, 0, "mysql" },
	[OBSERVE_REDIS] = { "redis", "Redis", observe_redis_probe, TCP, 0, "redis" },
	[OBSERVE_SMB] = { "smb", "SMB", observe_smb_probe, TCP, BOTH, "microsoft-ds netbios-ssn" },
	[OBSERVE_RDP] = { "rdp", "RDP", observe_rdp_probe, TCP, 0, "ms-wbt-server" },
	[OBSERVE_BITTORRENT] = { "bittorrent", "BitTorrent", observe_bittorrent_probe, TCP | UDP, 0,
				 "bittorrent" },
	[OBSERVE_STUN] = { "stun", "STUN", observe_stun_probe, TCP | UDP, 0, "stun turn" },
	[OBSERVE_WIREGUARD] = { "wireguard", "WireGuard", observe_wireguard_probe, UDP, 0,
				"wireguard" },
	[OBSERVE_OTHER] = { "", "", NULL, 0, 0, "" },
};

const char *observe_id_name(enum observe_id id)
{
	return id < OBSERVE_N ? observe_protocols[id].name : "";
}

const char *observe_id_title(enum observe_id id)
{
	return id < OBSERVE_N ? observe_protocols[id].title : "";
}

/* Whether the list of services has that name. */
static bool is_home(enum observe_id id, const char *service)
{
	const char *at = observe_protocols[id].home;
	size_t n = strlen(service);

	while (*at) {
		size_t word = strcspn(at, " ");

		if (word == n && !memcmp(at, service, n))
			return true;
		at += word + (at[word] == ' ');
	}
	return false;
}

static bool is_home_of_other(enum observe_id id, const char *service)
{
	for (unsigned i = OBSERVE_NONE + 1; i < OBSERVE_OTHER; i++)
		if (i != (unsigned)id && is_home((enum observe_id)i, service))
			return true;
	return false;
}

size_t observe_contradiction(const struct observe *o, const struct observe_state *s, uint16_t port,
			     enum pv_transport transport,
			     char out[static OBSERVE_CONTRADICTION_MAX])
{
	const struct pv_service *first = pv_service_by_port(port, transport), *row;
	enum observe_id id = observe_state_id(s);
	bool is_foreign = false;
	size_t cursor = 0;
	int n;

	if (!first || first->flags & PV_SERVICE_UNREGISTERED || id == OBSERVE_NONE ||
	    id == OBSERVE_OTHER)
		return 0;
	while ((row = pv_service_next_by_port(port, &cursor)) != NULL) {
		if (row->transport == transport && is_home(id, row->name))
			return 0;
		is_foreign |= row->transport == transport && is_home_of_other(id, row->name);
	}
	if (observe_protocols[id].flags & PROBE_FLAG_CARRIER && !is_foreign)
		return 0;
	n = snprintf(out, OBSERVE_CONTRADICTION_MAX, "%s on %u, registered for %s",
		     observe_state_title(o, s), port, first->name);
	return n < 0			       ? 0
	       : n < OBSERVE_CONTRADICTION_MAX ? (size_t)n
					       : OBSERVE_CONTRADICTION_MAX - 1;
}
