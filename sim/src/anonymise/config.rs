//! A configuration under the mapping.

use super::mapping::Mapping;
use crosspoint_core::auth::{Algorithm, Secret};
use crosspoint_core::binding::BindingRecord;
use crosspoint_core::config::{
    Block, Config, Gateway, GatewayAuth, GatewayRules, Gateways, Group, Listen, Network, NumberRules, Numbers, Peer,
    Phones, Prefix, Profile, Reserved, Rewrite, Single, Tones,
};
use crosspoint_core::input::{Control, Flow};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file by its number alone, which is its place among the names.
fn recording(tones: &Tones, file: &str) -> String {
    let place = tones.files().iter().position(|known| known == file);
    format!("{:04}.wav", place.expect("every file that is played is among the files"))
}

impl Mapping {
    fn name(&self, text: &str) -> String {
        self.of(text, Mapping::user)
    }

    fn host_name(&self, text: &str) -> String {
        self.of(text, Mapping::host)
    }

    fn secret(&self, text: &str) -> String {
        self.of(text, Mapping::password)
    }

    pub(super) fn flow(&self, flow: Flow) -> Flow {
        Flow { remote: self.socket(flow.remote), ..flow }
    }

    /// A wish of the operator.
    pub(super) fn control(&self, control: &Control) -> Control {
        match control {
            Control::Reload(config) => Control::Reload(Arc::new(self.config(config))),
            Control::Restore(binding) => Control::Restore(Box::new(self.binding(binding))),
            Control::Drain | Control::Hangup(_) => control.clone(),
        }
    }

    fn binding(&self, binding: &BindingRecord) -> BindingRecord {
        let page = |text: &str, replace: fn(&mut super::page::Page<'_>, std::ops::Range<usize>)| {
            let mut page = super::page::Page::new(self, text.as_bytes());
            replace(&mut page, 0..text.len());
            String::from_utf8(page.bytes).expect("symbols are replaced by symbols of as many octets")
        };
        BindingRecord {
            aor: self.name(&binding.aor),
            contact: page(&binding.contact, |page, at| page.uri(at)),
            call_id: self.of(&binding.call_id, Mapping::id),
            path: page(&binding.path, |page, at| page.header(crosspoint_core::sip::Name::Path, at)),
            instance: page(&binding.instance, |page, at| page.text_but_urn(at)),
            flow: self.flow(binding.flow),
            ..binding.clone()
        }
    }

    /// The configuration that means the same under the mapping.
    pub(super) fn config(&self, config: &Config) -> Config {
        let path = |path: &Option<PathBuf>| path.as_deref().map(|path| self.path(path));
        let listen = |listen: &Listen| Listen {
            bind: self.socket(listen.bind),
            advertise: self.socket(listen.advertise),
            network: listen.network.as_deref().map(|name| self.name(name)),
            transport: listen.transport,
        };
        let network = |network: &Network| Network {
            name: self.name(&network.name),
            cidrs: network.cidrs.iter().map(|cidr| self.block(*cidr)).collect(),
        };
        let mut tones = config.tones.with_files(|file| recording(&config.tones, file));
        tones.folder = path(&config.tones.folder);
        for number in [&mut tones.echo_number, &mut tones.tone_number].into_iter().flatten() {
            *number = self.name(number);
        }
        let group = |group: &Group| Group { name: self.name(&group.name), ..group.clone() };
        Config {
            domain: self.host_name(&config.domain),
            state_dir: path(&config.state_dir),
            event_log: path(&config.event_log),
            nameservers: config.nameservers.iter().map(|at| self.socket(*at)).collect(),
            listen: config.listen.iter().map(listen).collect(),
            networks: config.networks.iter().map(network).collect(),
            tones,
            phones: self.phones(config),
            groups: config.groups.iter().map(group).collect(),
            gateways: Gateways::new(config.gateways.iter().map(|gateway| self.gateway(gateway)).collect()),
            ..config.clone()
        }
    }

    fn path(&self, path: &Path) -> PathBuf {
        PathBuf::from(self.of(&path.to_string_lossy(), Mapping::text))
    }

    fn phones(&self, config: &Config) -> Phones {
        let single = |single: &Single| {
            let user = self.name(&single.user);
            let profile = self.profile(&single.profile, &user, config);
            Single { user, profile }
        };
        let blocks = config.phones.blocks().iter().map(|block| self.numbers(block, config));
        Phones::new(config.phones.singles().iter().map(single).collect(), blocks.collect())
    }

    /// A block: what both ends have in common is replaced; below, the numbers change places within it.
    fn numbers(&self, block: &Block, config: &Config) -> Block {
        let Block { prefix, width, first, last, .. } = block;
        let ends = [first, last].map(|number| format!("{prefix}{number:0width$}"));
        let common = ends[0].bytes().zip(ends[1].bytes()).take_while(|(a, b)| a == b).count();
        let beginning = self.name(&ends[0])[..common].to_owned();
        let [first, last] = ends.map(|end| {
            let new = format!("{beginning}{}", &end[common..]);
            new[prefix.len()..].parse().expect("a digit is replaced by a digit")
        });
        let new_prefix = beginning[..prefix.len()].to_owned();
        let profile = self.profile(&block.profile, &new_prefix, config);
        Block { prefix: new_prefix, width: *width, first, last, profile }
    }

    /// `user` is the new name.
    fn profile(&self, profile: &Profile, user: &str, config: &Config) -> Profile {
        let secret = match &profile.secret {
            Secret::Password(password) => Secret::Password(self.secret(password)),
            // whose password nobody knows gets one; the hashes are of it
            Secret::Ha1 { md5, sha256 } => {
                let password = Secret::Password(self.secret(user));
                let domain = self.host_name(&config.domain);
                let ha1 = |algorithm| password.ha1(user.as_bytes(), &domain, algorithm);
                let md5_of_it = ha1(Algorithm::Md5).and_then(|hash| hash.as_bytes().try_into().ok());
                let sha256_of_it = ha1(Algorithm::Sha256).and_then(|hash| hash.as_bytes().try_into().ok());
                Secret::Ha1 { md5: md5.and(md5_of_it), sha256: sha256.and(sha256_of_it) }
            }
        };
        let caller_id = profile.caller_id.as_deref().map(|number| self.name(number));
        let ringback = profile.ringback.as_ref();
        let ringback = ringback.map(|ringback| ringback.with_file(|file| recording(&config.tones, file)));
        Profile { secret, caller_id, ringback, ..profile.clone() }
    }

    fn gateway(&self, gateway: &Gateway) -> Gateway {
        let auth = match &gateway.auth {
            GatewayAuth::Ip => GatewayAuth::Ip,
            GatewayAuth::Digest { user, password } => {
                GatewayAuth::Digest { user: self.name(user), password: self.secret(password) }
            }
            GatewayAuth::Register { user, password, domain, required } => GatewayAuth::Register {
                user: self.name(user),
                password: self.secret(password),
                domain: domain.as_deref().map(|domain| self.host_name(domain)),
                required: *required,
            },
        };
        let peer = |peer: &Peer| match peer {
            Peer::Address { ip, port } => Peer::Address { ip: self.ip(*ip), port: *port },
            Peer::Name { host, port } => Peer::Name { host: self.host_name(host), port: *port },
        };
        Gateway {
            name: self.name(&gateway.name),
            peers: gateway.peers.iter().map(peer).collect(),
            auth,
            rules: self.rules(&gateway.rules),
            ..gateway.clone()
        }
    }

    fn rules(&self, rules: &GatewayRules) -> GatewayRules {
        let prefix = |prefix: &Prefix| Prefix { digits: self.name(&prefix.digits), ..prefix.clone() };
        let reserved = |reserved: &Reserved| Reserved { holder: self.name(&reserved.holder), ..reserved.clone() };
        let numbers = |numbers: &Numbers| Numbers {
            callee: self.number_rules(&numbers.callee),
            caller: self.number_rules(&numbers.caller),
        };
        GatewayRules {
            prefixes: rules.prefixes.iter().map(prefix).collect(),
            group: self.name(&rules.group),
            reserved: rules.reserved.iter().map(reserved).collect(),
            inward: numbers(&rules.inward),
            outward: numbers(&rules.outward),
            caller_ids: rules.caller_ids.iter().map(|number| self.name(number)).collect(),
            ..rules.clone()
        }
    }

    fn number_rules(&self, rules: &NumberRules) -> NumberRules {
        let list = |prefixes: &[String]| prefixes.iter().map(|prefix| self.name(prefix)).collect();
        let rewrite = |rule: &Rewrite| Rewrite { prefix: self.name(&rule.prefix), replace: self.name(&rule.replace) };
        NumberRules {
            allow: list(&rules.allow),
            deny: list(&rules.deny),
            digits: rules.digits,
            rewrite: rules.rewrite.iter().map(rewrite).collect(),
        }
    }
}
