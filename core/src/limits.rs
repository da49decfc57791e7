//! Every bound of the core, with the sum that justifies it.
//!
//! Nothing in the core grows without one of these. Where a bound is reached, the new thing is refused, never the old one
//! thrown away, but for the memories whose line says that they forget.

/// Longest datagram: the UDP maximum. Offsets into a message are therefore 16 bits.
pub const DATAGRAM_BYTES: usize = 65_535;

/// Most header fields in one message. RFC 4475 `longreq` has 34 Via fields of some 60 fields; 256 leaves four times that.
pub const HEADERS_PER_MESSAGE: usize = 256;

/// Most server transactions, most client transactions: at 500 calls per second, 3 transactions each of 32 s at the
/// longest are 48,000; 2^18 holds five times that, at some 2 KiB each 512 MiB.
pub const TRANSACTIONS: usize = 1 << 18;

/// Most calls at once: 2^17, four times the 30,000 of the default port range if every call took one port.
pub const CALLS: usize = 1 << 17;

/// Most bindings: 2^20, a million phones at under 1 KiB each.
pub const BINDINGS: usize = 1 << 20;

/// Most contacts of one address-of-record (RFC 3261 §10.3 lets a registrar limit them).
pub const CONTACTS_PER_AOR: usize = 10;

/// Most Contact values in one REGISTER: every contact replaced by another.
pub const CONTACTS_PER_REGISTER: usize = 2 * CONTACTS_PER_AOR;

/// Most bytes of contact, Call-ID, path, instance and address-of-record of one binding together. Some 150 are usual; a
/// path of ten proxies adds 600. Their offsets fit 16 bits.
pub const BINDING_TEXT_BYTES: usize = 4096;

/// Bindings that one firing of the expiry timer ends at most: each tells one event, and `TIMERS_PER_TICK` firings stay
/// within half of `COMMANDS_WAITING`.
pub const EXPIRIES_PER_TIMER: usize = 8;

/// Commands that may wait in the outbox: one input never makes more than a few dozen (R1), a tick at most
/// `TIMERS_PER_TICK` times two.
pub const COMMANDS_WAITING: usize = 4096;

/// Timers that one tick fires at most; the rest wait for the next turn, so that packets do not starve after a suspend.
pub const TIMERS_PER_TICK: usize = 256;

/// Inputs that one turn of the pump takes at most before it yields.
pub const INPUTS_PER_TURN: usize = 256;

/// Most ways that one call may try: a gateway that is silent takes SS_SIP_TIMEOUT_INVITE, 10 s, and sixteen of them are
/// longer than any caller waits. More than [`CONTACTS_PER_AOR`], so that every binding of a phone is one.
pub const WAYS_PER_CALL: usize = 16;

/// Most steps of a plan that are kept with a call, some 100 bytes each: four for each way.
pub const STEPS_PER_PLAN: usize = 4 * WAYS_PER_CALL;

/// How often one call is redirected by a 3xx. A forward to a forward to a mailbox are two; twice that and one.
pub const REDIRECTS_PER_CALL: u8 = 5;

/// Requests in progress inside the dialogs of one call; further ones are answered 500 with Retry-After (RFC 3261 §14.2).
/// Four each way at once are more than phones send.
pub const EXCHANGES_PER_CALL: usize = 8;

/// ACKs of one dialog that are kept: of four INVITEs within the 32 s in which a 2xx may come again. The earlier ones are
/// forgotten.
pub const ACKS_PER_DIALOG: usize = 4;

/// Requests of one branch that wait for its other leg: one offer from each side, twice that.
pub const WAITING_PER_BRANCH: usize = 4;

/// Answers of one branch that wait for the PRACK of the one before: 180, 183, 182 and the 2xx, twice that.
pub const HELD_ANSWERS: usize = 8;

/// Pairs of dialogs of one call: ten contacts that ring together (`CONTACTS_PER_AOR`), of which some fork on; three times
/// that. An answer that would make one more is passed over.
pub const BRANCHES_PER_CALL: usize = 32;

/// Subscriptions inside the dialogs of one call: a transfer has one; eight are several at once with their events.
pub const SUBSCRIPTIONS_PER_CALL: usize = 8;

/// Requests outside dialogs that pass through at once: 1,000 MESSAGEs a second of which each lasts 32 s at the longest.
pub const PASSING: usize = 1 << 15;

/// Most lines of a session description that is read: an offer of a browser with twenty ICE candidates in three sections
/// has some 200; ten times that. A longer one is passed on unread.
pub const SDP_LINES: usize = 2_048;

/// Most `m=` lines of a session description that is read: a conference room of today sends one for each of some twenty
/// participants; three times that.
pub const SDP_MEDIA: usize = 64;

/// Most payload types of one stream whose numbers differ from leg to leg: telephone-events of four clock rates, twice that.
pub const PAYLOAD_PAIRS: usize = 8;

/// Most parts of a multipart body looked through for a description: SIP-I sends two, emergency calls three; four times that.
pub const BODY_PARTS: usize = 12;

/// Longest codec name that a call record shows: the longest registered audio subtypes have some 20 letters; three times that.
pub const CODEC_NAME_BYTES: usize = 64;

/// Answered nonces that are remembered so that no answer is accepted twice. Each stays for 300 s, and 10 s of them are
/// enough to know whether an unknown one is fresh: 2^17 do for 13,000 authenticated requests a second, at 5 MiB. When
/// full the oldest is forgotten and its client gets a new nonce.
pub const ANSWERED_NONCES: usize = 1 << 17;

/// Challenged exchanges whose rounds are counted: 2^16 are 60 s of 1,000 challenges a second that nobody answers, at
/// 4 MiB. When full the oldest is forgotten.
pub const AUTH_EXCHANGES: usize = 1 << 16;

/// Challenges of one response that are looked at: three algorithms, with and without session keys, of a proxy and of the
/// server behind it are twelve.
pub const CHALLENGES: usize = 16;

/// Realms that are answered to one peer: its proxy's, its own, and twice as many for what is forked to.
pub const REALMS_PER_CLIENT: usize = 4;

/// Longest realm, nonce and opaque value of a challenge together. Some 150 are usual; nonces that carry a signed state
/// have up to 1,000. Four of them fit a datagram many times over.
pub const CHALLENGE_BYTES: usize = 4096;

/// Service-Route values of a registration of ours that are kept (RFC 3608): an edge proxy and the home proxy behind it are
/// two; four times that.
pub const SERVICE_ROUTES: usize = 8;

/// Longest Service-Route value that is kept: some 60 are usual, and tokens of edge proxies have up to 200.
pub const SERVICE_ROUTE_BYTES: usize = 512;

/// Nameservers that are asked: as many as resolv.conf(5) takes.
pub const NAMESERVERS: usize = 3;

/// Answers of nameservers that are kept: a gateway takes some six (NAPTR, SRV, two servers with two families each), so
/// they do for 600 gateways, at some 300 bytes each 1.2 MiB. When full, what runs out first is forgotten.
pub const DNS_CACHE: usize = 4096;

/// Questions on their way to nameservers at once: 600 gateways after a start, two each. With one command each they stay,
/// beside what else a tick makes, within `COMMANDS_WAITING`.
pub const DNS_QUESTIONS: usize = 1024;

/// Names being looked up at once: 500 calls per second, each for the `DNS_LOOKUP_S` of a dead nameserver, four times over.
pub const DNS_LOOKUPS: usize = 1 << 14;

/// Lookups that one input takes a step further at the most: each may make a call send its INVITE and tell its route, and
/// `TIMERS_PER_TICK` of them stay within half of `COMMANDS_WAITING`. The others follow with the next tick.
pub const DNS_STEPS: usize = 2;

/// Seconds that a lookup takes at most: three silent nameservers of two seconds each, or four slow answers in a row. A
/// caller waits for no longer than that in silence.
pub const DNS_LOOKUP_S: u32 = 8;

/// Seconds that a nameserver has for an answer: the slowest recursion over satellite takes some one and a half.
pub const DNS_ANSWER_S: u32 = 2;

/// Times that one question is sent out at most, over whichever transport, to whichever server: once to each, once more over
/// TCP and once more without EDNS.
pub const DNS_TRIES: u8 = NAMESERVERS as u8 + 2;

/// Seconds that an answer is kept at least, whatever its TTL: a lookup finds what it learned on its way, so more than
/// `DNS_LOOKUP_S`.
pub const DNS_TTL_MIN_S: u32 = 10;

/// Seconds that an answer is kept at most: an hour, after which a gateway that has moved is found by everybody.
pub const DNS_TTL_MAX_S: u32 = 3600;

/// Seconds that it is kept at most that there is none (RFC 2308 §5 leaves it to us): five minutes, since somebody may be
/// waiting for the name that they have just made.
pub const DNS_NEGATIVE_TTL_MAX_S: u32 = 300;

/// CNAMEs in a row that are followed: two are usual with hosted services; four times that.
pub const DNS_ALIASES: usize = 8;

/// Records of one answer that are looked at: large SRV sets have some ten; additional addresses for each in two families.
pub const DNS_RECORDS: usize = 64;

/// Records of one kind that are kept of a name: with two families each, an SRV set asks 32 questions at the most.
pub const DNS_SET: usize = 16;

/// Places of one name that a caller gets to try: more than it has the time for.
pub const DNS_TARGETS: usize = 32;

/// Host names among the peers of mapping gateways; each is looked up again whenever its records run out.
pub const PEER_NAMES: usize = 512;

/// Most times on and off of a tone: Britain's ringback has two pairs, special information tones have three; twice that and
/// two.
pub const CADENCE_PULSES: usize = 8;

/// Longest WAVE file: ten minutes of 16 bits at 8000 Hz are 9.6 MB, and its other chunks.
pub const WAV_BYTES: usize = 10 << 20;

/// Packets of a tone that may be sent at once after a delay: 100 ms, which the buffers of phones hold. Missed ones beyond
/// are left out.
pub const PLAYER_CATCH_UP: u64 = 5;

/// Longest file name of an announcement.
pub const ANNOUNCEMENT_NAME_BYTES: usize = 64;

/// Different recordings of one configuration: one for each of some thirty end reasons, and for a thousand phones one of
/// their own; ten seconds each, they are 160 MB.
pub const SOUNDS: usize = 1024;

/// Media ports that each shard keeps open ahead of demand: at 500 calls a second on 8 shards, 125 legs a second and shard, a
/// quarter of a second's worth, in which the driver opens others.
pub const WARM_LEASES: usize = 32;

/// Of these, how many one step opens or closes at most: `TIMERS_PER_TICK` shards at once stay within half of
/// `COMMANDS_WAITING`.
pub const STOCK_STEP: usize = 8;

/// Ports that are tried for one lease, where each is taken by another process. With a tenth of the range taken one lease in
/// a thousand fails.
pub const PORT_TRIES: u8 = 3;

/// Most sessions of one media shard: 10,000 calls of two streams each, three times over, at under 2 KiB each.
pub const MEDIA_SESSIONS: usize = 1 << 16;

/// Streams of one description that are relayed: audio, video, slides, text and fax, and three more; four ports each. Others
/// are refused.
pub const RELAYED_STREAMS: usize = 8;

/// Sockets of one media shard have numbers below this: two legs of every session with a socket each for RTP and RTCP.
pub const MEDIA_SOCKETS: usize = 4 * MEDIA_SESSIONS;

/// Reports of a media shard that wait: a pass over 1,000 ready sockets in which each learns its leg. Further ones are not
/// told, and counted; those that answer ops are told in any case.
pub const MEDIA_REPORTS_WAITING: usize = 1024;

/// Sessions that ended and whose late ops are still known as such: two seconds of 500 calls per second. The oldest is
/// forgotten.
pub const MEDIA_ENDED: usize = 1024;

/// Packets of a compound of RTCP that are read: SR, SDES, XR and BYE are usual; four times that.
pub const RTCP_PACKETS: usize = 16;
