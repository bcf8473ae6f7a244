/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's counters mean, in words of our own. Counters of IPv6, and of UDP-Lite, mean
 * what those of IPv4 and UDP mean; those of ICMP say a kind of message and a direction.
 */
#include <stdbool.h>
#include <string.h>

#include "cli/netstat/netstat.h"

struct text {
	const char *name, *text;
};

static const struct text ip[] = {
	{ "Forwarding", "1: this host forwards packets for others, 2: it does not" },
	{ "DefaultTTL", "hops that a packet sent from here may take" },
	{ "InReceives", "packets received, broken ones included" },
	{ "InHdrErrors", "dropped on arrival: broken header, or no hops left" },
	{ "InTooBigErrors", "not forwarded: larger than the next link takes" },
	{ "InNoRoutes", "dropped on arrival: no route to their destination" },
	{ "InAddrErrors", "dropped on arrival: not for an address of this host" },
	{ "ForwDatagrams", "packets passed on for others" },
	{ "OutForwDatagrams", "packets passed on for others" },
	{ "InUnknownProtos", "dropped on arrival: nobody here speaks their protocol" },
	{ "InTruncatedPkts", "dropped on arrival: shorter than they claim" },
	{ "InDiscards", "dropped on arrival: no memory or refused by a rule" },
	{ "InDelivers", "packets handed to their protocol" },
	{ "OutRequests", "packets that protocols of this host wanted sent" },
	{ "OutDiscards", "not sent: no memory or refused by a rule" },
	{ "OutNoRoutes", "not sent: no route to their destination" },
	{ "OutTransmits", "packets given to an interface, those passed on included" },
	{ "ReasmTimeout", "reassemblies given up: fragments missing for too long" },
	{ "ReasmReqds", "fragments received" },
	{ "ReasmOKs", "packets put together from fragments" },
	{ "ReasmFails", "reassemblies that failed" },
	{ "ReasmOverlaps", "fragments that overlap others, as attacks do" },
	{ "FragOKs", "packets sent in fragments" },
	{ "FragFails", "not sent: too large, and fragments were forbidden" },
	{ "FragCreates", "fragments sent" },
	{ "InMcastPkts", "multicast packets received" },
	{ "OutMcastPkts", "multicast packets sent" },
	{ "InBcastPkts", "broadcast packets received" },
	{ "OutBcastPkts", "broadcast packets sent" },
	{ "InOctets", "bytes received" },
	{ "OutOctets", "bytes sent" },
	{ "InMcastOctets", "bytes received by multicast" },
	{ "OutMcastOctets", "bytes sent by multicast" },
	{ "InBcastOctets", "bytes received by broadcast" },
	{ "OutBcastOctets", "bytes sent by broadcast" },
	{ "InCsumErrors", "dropped on arrival: wrong checksum" },
	{ "InNoECTPkts", "packets received whose sender does not know ECN" },
	{ "InECT1Pkts", "packets received with ECN code point ECT(1)" },
	{ "InECT0Pkts", "packets received with ECN code point ECT(0)" },
	{ "InCEPkts", "packets received that a router marked: congestion" },
	{ NULL, NULL },
};

static const struct text icmp[] = {
	{ "InMsgs", "messages received, broken ones included" },
	{ "InErrors", "messages received that were broken or of no use" },
	{ "InCsumErrors", "messages received with a wrong checksum" },
	{ "OutMsgs", "messages this host wanted sent" },
	{ "OutErrors", "messages not sent: no memory or no route" },
	{ "OutRateLimitGlobal", "messages not sent: limit for all peers together" },
	{ "OutRateLimitHost", "messages not sent: limit for one peer" },
	{ NULL, NULL },
};

/* behind In or Out */
static const struct text icmp_kinds[] = {
	{ "DestUnreachs", "\"destination unreachable\"" },
	{ "PktTooBigs", "\"packet too big\"" },
	{ "TimeExcds", "\"time exceeded\"" },
	{ "ParmProbs", "\"parameter problem\"" },
	{ "ParmProblems", "\"parameter problem\"" },
	{ "SrcQuenchs", "\"source quench\"" },
	{ "Redirects", "redirects" },
	{ "Echos", "pings" },
	{ "EchoReps", "answers to pings" },
	{ "EchoReplies", "answers to pings" },
	{ "Timestamps", "questions for the time" },
	{ "TimestampReps", "answers with the time" },
	{ "AddrMasks", "questions for the netmask" },
	{ "AddrMaskReps", "answers with the netmask" },
	{ "GroupMembQueries", "questions for multicast listeners" },
	{ "GroupMembResponses", "reports of multicast listeners" },
	{ "GroupMembReductions", "multicast listeners that are done" },
	{ "RouterSolicits", "questions for routers" },
	{ "RouterAdvertisements", "routers that introduce themselves" },
	{ "NeighborSolicits", "questions for a neighbour's hardware address" },
	{ "NeighborAdvertisements", "answers with a hardware address" },
	{ "MLDv2Reports", "reports of multicast listeners, version 2" },
	{ NULL, NULL },
};

static const struct text tcp[] = {
	{ "RtoAlgorithm", "how the time to wait for an answer is found; 1: other than RFC 2988" },
	{ "RtoMin", "shortest time to wait before sending again, in milliseconds" },
	{ "RtoMax", "longest time to wait before sending again, in milliseconds" },
	{ "MaxConn", "most connections at a time; -1: no fixed limit" },
	{ "ActiveOpens", "connections opened from here" },
	{ "PassiveOpens", "connections opened by others" },
	{ "AttemptFails", "connections that failed while they were opened" },
	{ "EstabResets", "established connections that were reset" },
	{ "CurrEstab", "connections established now" },
	{ "InSegs", "segments received, broken ones included" },
	{ "OutSegs", "segments sent, repeated ones not counted" },
	{ "RetransSegs", "segments sent again" },
	{ "InErrs", "segments received that were broken" },
	{ "OutRsts", "resets sent" },
	{ "InCsumErrors", "segments received with a wrong checksum" },
	{ NULL, NULL },
};

static const struct text udp[] = {
	{ "InDatagrams", "datagrams handed to a socket" },
	{ "NoPorts", "datagrams for a port nobody has" },
	{ "InErrors", "datagrams not handed over: broken, or no room" },
	{ "OutDatagrams", "datagrams sent" },
	{ "RcvbufErrors", "datagrams dropped: the socket's receive buffer was full" },
	{ "SndbufErrors", "datagrams not sent: the send buffer was full" },
	{ "InCsumErrors", "datagrams received with a wrong checksum" },
	{ "IgnoredMulti", "multicast or broadcast datagrams that no socket wanted" },
	{ "MemErrors", "datagrams dropped: the memory limit of the protocol was met" },
	{ NULL, NULL },
};

static const struct text tcp_ext[] = {
	{ "SyncookiesSent", "SYN cookies sent instead of keeping a request" },
	{ "SyncookiesRecv", "right SYN cookies that came back" },
	{ "SyncookiesFailed", "wrong SYN cookies that came back" },
	{ "EmbryonicRsts", "half-open connections that were reset" },
	{ "PruneCalled", "times a receive queue had to be squeezed" },
	{ "RcvPruned", "segments dropped although the receive queue was squeezed" },
	{ "OfoPruned", "times early segments were given up to make room" },
	{ "OutOfWindowIcmps", "ICMP errors ignored: they fit no data under way" },
	{ "LockDroppedIcmps", "ICMP errors ignored: the socket was in use" },
	{ "ArpFilter", "ARP questions not answered, by arp_filter" },
	{ "TW", "sockets that waited in TIME_WAIT to the end" },
	{ "TWRecycled", "sockets in TIME_WAIT used again" },
	{ "TWKilled", "sockets in TIME_WAIT ended early" },
	{ "PAWSActive", "answers to our SYN refused for their old time stamp" },
	{ "PAWSEstab", "segments of established connections refused for their old time stamp" },
	{ "BeyondWindow", "segments that begin beyond the window" },
	{ "TSEcrRejected", "segments refused for echoing a time stamp that was not sent" },
	{ "PAWSOldAck", "old ACKs refused for their time stamp" },
	{ "PAWSTimewait", "SYNs to a socket in TIME_WAIT refused for their time stamp" },
	{ "DelayedACKs", "ACKs sent late on purpose" },
	{ "DelayedACKLocked", "late ACKs put off once more: the socket was in use" },
	{ "DelayedACKLost", "segments received twice: our ACK came too late or was lost" },
	{ "ListenOverflows", "connections not taken: the listener's queue was full" },
	{ "ListenDrops", "SYNs to listeners that were dropped, for any reason" },
	{ "TCPHPHits", "segments that were as expected, and took the fast way" },
	{ "TCPPureAcks", "ACKs without data received" },
	{ "TCPHPAcks", "ACKs that took the fast way" },
	{ "TCPRenoRecovery", "losses noticed by repeated ACKs, without SACK" },
	{ "TCPSackRecovery", "losses noticed by SACK" },
	{ "TCPSACKReneging", "peers that dropped what they had acknowledged by SACK" },
	{ "TCPSACKReorder", "reorderings noticed by SACK" },
	{ "TCPRenoReorder", "reorderings noticed without SACK" },
	{ "TCPTSReorder", "reorderings noticed by time stamps" },
	{ "TCPFullUndo", "windows restored: nothing had been lost after all" },
	{ "TCPPartialUndo", "windows partly restored: less had been lost than thought" },
	{ "TCPDSACKUndo", "windows restored: the peer reported all repetitions as needless" },
	{ "TCPLossUndo", "windows restored after a needless timeout" },
	{ "TCPLostRetransmit", "repeated segments that were lost again" },
	{ "TCPRenoFailures", "timeouts after a recovery without SACK" },
	{ "TCPSackFailures", "timeouts after a recovery by SACK" },
	{ "TCPLossFailures", "timeouts while recovering from a timeout" },
	{ "TCPFastRetrans", "segments repeated without waiting for a timeout" },
	{ "TCPSlowStartRetrans", "segments repeated in slow start" },
	{ "TCPTimeouts", "timeouts of the retransmission timer" },
	{ "TCPLossProbes", "probes sent for a loss at the end of the data" },
	{ "TCPLossProbeRecovery", "losses that such a probe repaired" },
	{ "TCPRenoRecoveryFail", "recoveries without SACK that failed" },
	{ "TCPSackRecoveryFail", "recoveries by SACK that failed" },
	{ "TCPRcvCollapsed", "segments merged in a receive queue to save memory" },
	{ "TCPBacklogCoalesce", "segments merged while the socket was in use" },
	{ "TCPDSACKOldSent", "reports sent of data that came twice" },
	{ "TCPDSACKOfoSent", "reports sent of early data that came twice" },
	{ "TCPDSACKRecv", "reports received of data that we sent twice" },
	{ "TCPDSACKOfoRecv", "reports received of early data that we sent twice" },
	{ "TCPAbortOnData", "connections reset: data came after they were closed" },
	{ "TCPAbortOnClose", "connections reset: closed with data unread" },
	{ "TCPAbortOnMemory", "connections ended: no memory" },
	{ "TCPAbortOnTimeout", "connections ended: the peer no longer answered" },
	{ "TCPAbortOnLinger", "connections ended: linger time was over" },
	{ "TCPAbortFailed", "resets that could not be sent" },
	{ "TCPMemoryPressures", "times TCP ran short of memory" },
	{ "TCPMemoryPressuresChrono", "milliseconds TCP was short of memory" },
	{ "TCPSACKDiscard", "SACK blocks that made no sense" },
	{ "TCPDSACKIgnoredOld", "reports of repetitions ignored: too old" },
	{ "TCPDSACKIgnoredNoUndo", "reports of repetitions ignored: nothing to undo" },
	{ "TCPSpuriousRTOs", "timeouts found to be needless" },
	{ "TCPMD5NotFound", "segments refused: an MD5 signature was expected" },
	{ "TCPMD5Unexpected", "segments refused: no MD5 signature was expected" },
	{ "TCPMD5Failure", "segments refused: wrong MD5 signature" },
	{ "TCPSackShifted", "pieces moved to a neighbour when a SACK came" },
	{ "TCPSackMerged", "pieces merged when a SACK came" },
	{ "TCPSackShiftFallback", "SACKs handled the slow way" },
	{ "TCPBacklogDrop", "segments dropped: too many while the socket was in use" },
	{ "PFMemallocDrop", "segments dropped: memory is kept for swapping" },
	{ "TCPMinTTLDrop", "segments dropped: fewer hops left than the socket wants" },
	{ "TCPDeferAcceptDrop", "ACKs dropped: the listener waits for data" },
	{ "IPReversePathFilter", "packets dropped: not from where an answer would go" },
	{ "TCPTimeWaitOverflow", "sockets not put in TIME_WAIT: too many" },
	{ "TCPReqQFullDoCookies", "SYN queues full: cookies were sent" },
	{ "TCPReqQFullDrop", "SYN queues full: requests were dropped" },
	{ "TCPRetransFail", "segments that could not be sent again" },
	{ "TCPRcvCoalesce", "segments merged in a receive queue" },
	{ "TCPOFOQueue", "early segments kept" },
	{ "TCPOFODrop", "early segments dropped: no room" },
	{ "TCPOFOMerge", "early segments that overlap others" },
	{ "TCPChallengeACK", "ACKs sent to test a doubtful segment" },
	{ "TCPSYNChallenge", "ACKs sent to test a SYN in a connection" },
	{ "TCPFastOpenActive", "connections from here that began with data" },
	{ "TCPFastOpenActiveFail", "such data that was not taken" },
	{ "TCPFastOpenPassive", "connections of others that began with data" },
	{ "TCPFastOpenPassiveFail", "such data that was refused: wrong cookie" },
	{ "TCPFastOpenListenOverflow", "such data that was refused: too many waiting" },
	{ "TCPFastOpenCookieReqd", "questions for a Fast Open cookie received" },
	{ "TCPFastOpenBlackhole", "times Fast Open was paused: the network swallows it" },
	{ "TCPFastOpenPassiveAltKey", "Fast Open cookies made with the former key" },
	{ "TCPSpuriousRtxHostQueues", "repetitions spared: the first was still in a queue here" },
	{ "BusyPollRxPackets", "packets fetched by busy polling" },
	{ "TCPAutoCorking", "small writes held back to be sent together" },
	{ "TCPFromZeroWindowAdv", "times our window was opened again" },
	{ "TCPToZeroWindowAdv", "times our window was closed: no room" },
	{ "TCPWantZeroWindowAdv", "times our window should have been closed, but could not" },
	{ "TCPSynRetrans", "SYNs and their answers sent again" },
	{ "TCPOrigDataSent", "segments with data sent for the first time" },
	{ "TCPHystartTrainDetect", "slow starts ended by trains of ACKs" },
	{ "TCPHystartTrainCwnd", "sum of the windows when that happened" },
	{ "TCPHystartDelayDetect", "slow starts ended by growing delay" },
	{ "TCPHystartDelayCwnd", "sum of the windows when that happened" },
	{ "TCPACKSkippedSynRecv", "ACKs not sent, by rate limit: half-open" },
	{ "TCPACKSkippedPAWS", "ACKs not sent, by rate limit: old time stamp" },
	{ "TCPACKSkippedSeq", "ACKs not sent, by rate limit: outside of the window" },
	{ "TCPACKSkippedFinWait2", "ACKs not sent, by rate limit: in FIN_WAIT2" },
	{ "TCPACKSkippedTimeWait", "ACKs not sent, by rate limit: in TIME_WAIT" },
	{ "TCPACKSkippedChallenge", "ACKs not sent, by rate limit: tests of doubtful segments" },
	{ "TCPWinProbe", "probes sent to peers with a closed window" },
	{ "TCPKeepAlive", "keepalive probes sent" },
	{ "TCPMTUPFail", "probes for a larger packet size that failed" },
	{ "TCPMTUPSuccess", "probes for a larger packet size that passed" },
	{ "TCPDelivered", "segments acknowledged, by SACK included" },
	{ "TCPDeliveredCE", "of these, reported as marked: congestion" },
	{ "TCPAckCompressed", "ACKs spared by sending one for several" },
	{ "TCPZeroWindowDrop", "segments dropped: our window was closed" },
	{ "TCPRcvQDrop", "segments dropped: the receive queue was full" },
	{ "TCPWqueueTooBig", "segments not split: the send queue would grow too large" },
	{ "TcpTimeoutRehash", "other paths tried after a timeout" },
	{ "TcpDuplicateDataRehash", "other paths tried after data came twice" },
	{ "TCPDSACKRecvSegs", "segments that peers reported to have come twice" },
	{ "TCPDSACKIgnoredDubious", "reports of repetitions ignored: hard to believe" },
	{ "TCPMigrateReqSuccess", "requests moved to another listener" },
	{ "TCPMigrateReqFailure", "requests that could not be moved to another listener" },
	{ "TCPPLBRehash", "other paths tried for congestion" },
	{ "TCPAORequired", "segments refused: authentication was expected (TCP-AO)" },
	{ "TCPAOBad", "segments refused: wrong authentication (TCP-AO)" },
	{ "TCPAOKeyNotFound", "segments refused: unknown key (TCP-AO)" },
	{ "TCPAOGood", "segments with right authentication (TCP-AO)" },
	{ "TCPAODroppedIcmps", "ICMP errors ignored for authenticated connections (TCP-AO)" },
	{ NULL, NULL },
};

static const struct text mptcp[] = {
	{ "MPCapableSYNRX", "requests for MPTCP received" },
	{ "MPCapableSYNTX", "requests for MPTCP sent" },
	{ "MPCapableSYNACKRX", "consents to MPTCP received" },
	{ "MPCapableACKRX", "MPTCP connections of others completed" },
	{ "MPCapableFallbackACK", "plain TCP: the peer's last ACK was without MPTCP" },
	{ "MPCapableFallbackSYNACK", "plain TCP: the peer's answer was without MPTCP" },
	{ "MPCapableSYNTXDrop", "requests for MPTCP that seem to be swallowed on the way" },
	{ "MPCapableSYNTXDisabled", "requests for MPTCP not made after such a loss" },
	{ "MPCapableEndpAttempt", "requests for MPTCP to what is no first endpoint" },
	{ "MPFallbackTokenInit", "plain TCP: no token could be made" },
	{ "MPTCPRetrans", "data sent again on another subflow" },
	{ "MPJoinNoTokenFound", "joins refused: unknown connection" },
	{ "MPJoinSynRx", "requests to join received" },
	{ "MPJoinSynBackupRx", "of these, for a spare subflow" },
	{ "MPJoinSynAckRx", "consents to join received" },
	{ "MPJoinSynAckBackupRx", "of these, for a spare subflow" },
	{ "MPJoinSynAckHMacFailure", "consents to join refused: wrong authentication" },
	{ "MPJoinAckRx", "joins completed" },
	{ "MPJoinAckHMacFailure", "joins refused: wrong authentication" },
	{ "MPJoinRejected", "joins refused: too many subflows, or the connection ended" },
	{ "MPJoinSynTx", "requests to join sent" },
	{ "MPJoinSynTxCreatSkErr", "joins given up: no socket could be made" },
	{ "MPJoinSynTxBindErr", "joins given up: the address could not be bound" },
	{ "MPJoinSynTxConnectErr", "joins given up: no connection could be made" },
	{ "DSSNotMatching", "mappings received that differ from earlier ones" },
	{ "DSSCorruptionFallback", "plain TCP: a mapping was broken" },
	{ "DSSCorruptionReset", "subflows reset: a mapping was broken" },
	{ "InfiniteMapTx", "mappings without end sent: from now on plain TCP" },
	{ "InfiniteMapRx", "mappings without end received: from now on plain TCP" },
	{ "DSSNoMatchTCP", "mappings received that do not fit the subflow" },
	{ "DataCsumErr", "data received with a wrong checksum" },
	{ "OFOQueueTail", "early segments put at the end of the queue" },
	{ "OFOQueue", "early segments kept" },
	{ "OFOMerge", "early segments merged" },
	{ "NoDSSInWindow", "segments beyond the window of the connection" },
	{ "DuplicateData", "segments whose data was there" },
	{ "AddAddr", "further addresses of peers received" },
	{ "AddAddrTx", "further addresses of this host sent" },
	{ "AddAddrTxDrop", "further addresses not sent: no room" },
	{ "EchoAdd", "confirmations of our addresses received" },
	{ "EchoAddTx", "confirmations of peers' addresses sent" },
	{ "EchoAddTxDrop", "confirmations not sent: no room" },
	{ "PortAdd", "further addresses of peers with a port received" },
	{ "AddAddrDrop", "further addresses of peers ignored" },
	{ "MPJoinPortSynRx", "requests to join at another port received" },
	{ "MPJoinPortSynAckRx", "consents to join at another port received" },
	{ "MPJoinPortAckRx", "joins at another port completed" },
	{ "MismatchPortSynRx", "requests to join at a wrong port" },
	{ "MismatchPortAckRx", "joins ended: wrong port" },
	{ "RmAddr", "withdrawn addresses of peers received" },
	{ "RmAddrDrop", "withdrawals of addresses ignored" },
	{ "RmAddrTx", "withdrawn addresses of this host sent" },
	{ "RmAddrTxDrop", "withdrawals of addresses not sent: no room" },
	{ "RmSubflow", "subflows removed" },
	{ "MPPrioTx", "changes of priority sent" },
	{ "MPPrioRx", "changes of priority received" },
	{ "MPFailTx", "reports of broken data sent" },
	{ "MPFailRx", "reports of broken data received" },
	{ "MPFastcloseTx", "abrupt ends sent" },
	{ "MPFastcloseRx", "abrupt ends received" },
	{ "MPRstTx", "resets of subflows sent" },
	{ "MPRstRx", "resets of subflows received" },
	{ "SubflowStale", "subflows set aside: they make no progress" },
	{ "SubflowRecover", "such subflows taken up again" },
	{ "SndWndShared", "windows learnt from another subflow, to send" },
	{ "RcvWndShared", "windows told by another subflow, to receive" },
	{ "RcvWndConflictUpdate", "windows told after a conflict between subflows" },
	{ "RcvWndConflict", "conflicts between subflows about the window" },
	{ "MPCurrEstab", "MPTCP connections established now" },
	{ "Blackhole", "times MPTCP was paused: the network swallows it" },
	{ "MPCapableDataFallback", "plain TCP: the first data was without a mapping" },
	{ "MD5SigFallback", "plain TCP: MD5 signatures do not go with MPTCP" },
	{ "DssFallback", "plain TCP: a mapping was missing or wrong" },
	{ "SimultConnectFallback", "plain TCP: both ends opened at once" },
	{ "FallbackFailed", "returns to plain TCP that were not possible" },
	{ "WinProbe", "probes sent to peers with a closed window" },
	{ NULL, NULL },
};

static const struct text sctp[] = {
	{ "CurrEstab", "associations established now" },
	{ "ActiveEstabs", "associations opened from here" },
	{ "PassiveEstabs", "associations opened by others" },
	{ "Aborteds", "associations that were aborted" },
	{ "Shutdowns", "associations that were closed in order" },
	{ "OutOfBlues", "packets that belong to no association" },
	{ "ChecksumErrors", "packets received with a wrong checksum" },
	{ "OutCtrlChunks", "control chunks sent" },
	{ "OutOrderChunks", "ordered data chunks sent" },
	{ "OutUnorderChunks", "unordered data chunks sent" },
	{ "InCtrlChunks", "control chunks received" },
	{ "InOrderChunks", "ordered data chunks received" },
	{ "InUnorderChunks", "unordered data chunks received" },
	{ "FragUsrMsgs", "messages sent in fragments" },
	{ "ReasmUsrMsgs", "messages put together from fragments" },
	{ "OutSCTPPacks", "packets sent" },
	{ "InSCTPPacks", "packets received" },
	{ NULL, NULL },
};

static const struct {
	const char *group;
	const struct text *texts;
} tables[] = {
	{ "Ip", ip },	    { "IpExt", ip }, { "Ip6", ip },	    { "Icmp", icmp },
	{ "Icmp6", icmp },  { "Tcp", tcp },  { "TcpExt", tcp_ext }, { "Udp", udp },
	{ "UdpLite", udp }, { "Udp6", udp }, { "UdpLite6", udp },   { "MPTcpExt", mptcp },
	{ "Sctp", sctp },
};

static const char *find(const struct text *texts, const char *name)
{
	for (; texts->name; texts++)
		if (!strcmp(texts->name, name))
			return texts->text;
	return NULL;
}

/* "InType8" or "OutEchos": what kind of message, in which direction */
static bool put_icmp(struct buf *b, const char *name)
{
	bool is_in = !strncmp(name, "In", 2), is_out = !strncmp(name, "Out", 3);
	const char *kind = name + (is_in ? 2 : 3), *text;

	if (!is_in && !is_out)
		return false;
	text = find(icmp_kinds, kind);
	if (text)
		buf_puts(b, text);
	else if (!strncmp(kind, "Type", 4))
		buf_printf(b, "messages of type %s", kind + 4);
	else
		return false;
	buf_puts(b, is_in ? " received" : " sent");
	return true;
}

bool netstat_explain(struct buf *b, const char *group, const char *name)
{
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && !text; i++)
		if (!strcmp(tables[i].group, group))
			text = find(tables[i].texts, name);
	if (!text)
		return !strncmp(group, "Icmp", 4) && put_icmp(b, name);
	buf_puts(b, text);
	return true;
}
