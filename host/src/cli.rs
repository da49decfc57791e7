//! The command line, the same for every runtime.

use crate::command;
use crate::logging::{self, LogFormat};
use crate::server::Server;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// The process did what was asked.
const DONE: u8 = 0;
/// It could not.
const FAILED: u8 = 1;

/// Drives a server until it halts or the user stops it. It calls [`Ready`] once it watches everything, the signals that
/// stop it among them: who starts the switch may stop it as soon as it says that it is ready.
pub type Drive = fn(Server, Ready) -> io::Result<()>;

/// Tells whoever waits that the switch serves; an error of it ends the switch.
pub type Ready = Box<dyn FnOnce() -> io::Result<()>>;

#[derive(Debug, Parser)]
#[command(version, about = "A SIP softswitch", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct LogArgs {
    /// Form of the log lines on stderr; RUST_LOG sets what is logged
    #[arg(long, value_enum, default_value_t, global = true)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the switch (the default)
    Run(RunArgs),
    /// Start a switch and two phones that register and call each other, and show what happened
    Demo,
    /// Parse and lint a configuration
    Check(ConfigArgs),
    /// List every system parameter with its value
    Params(ParamsArgs),
    /// Tell rule by rule how the switch decides
    Explain(ExplainArgs),
    /// What a running switch holds and has counted
    Status(ShowArgs),
    /// The calls of a running switch
    Calls(ListArgs),
    /// The media ports of a running switch: how many are free, and whose the others are
    Ports(ListArgs),
    /// The gateways of a running switch: whether calls go to them, and why not
    Trunks(ShowArgs),
    /// The registered phones of a running switch
    Registrations(ShowArgs),
    /// End a call of a running switch
    Hangup(HangupArgs),
    /// Make a running switch read its configuration file again
    Reload(StateArgs),
    /// Make a running switch refuse new calls and end after the last one
    Drain(StateArgs),
    /// Read call detail records
    Cdr(CdrArgs),
    /// Print the firewall rules that a configuration needs, as shell commands
    Firewall(FirewallArgs),
}

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Configuration file; without it, an embedded default serves on loopback
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of journals, records and admin socket; beats the one in the configuration
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Write every input of the switch to this file; crosspoint-sim replay reads it
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// Names a configuration.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// Configuration file; without it, the embedded default
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How `params` lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ParamsFormat {
    /// Columns for the terminal.
    #[default]
    Table,
    /// An array of objects.
    Json,
    /// The reference page.
    Markdown,
}

/// Arguments of `params`.
#[derive(Clone, Debug, Args)]
pub struct ParamsArgs {
    /// Configuration file whose values are listed
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Output form
    #[arg(long, value_enum, default_value_t)]
    pub format: ParamsFormat,
    /// Read a VOS3000 parameter list (NAME=value lines) and print it as the parameters table of a configuration
    #[arg(long, value_name = "FILE")]
    pub import: Option<PathBuf>,
}

/// Arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// What to explain.
    #[command(subcommand)]
    pub command: ExplainCommand,
}

/// What `explain` explains.
#[derive(Clone, Debug, Subcommand)]
pub enum ExplainCommand {
    /// How a call finds its way: every candidate, and the rule that took or dropped it
    Route(ExplainRouteArgs),
    /// Whether the media of a call goes through the switch: every rule down to the one that decides
    Media(ExplainMediaArgs),
}

/// By what `explain` explains, and how it prints.
#[derive(Clone, Debug, Args)]
pub struct ExplainBy {
    /// Configuration file to explain by; without it and --state-dir, the embedded default
    #[arg(long, value_name = "FILE", conflicts_with = "state_dir")]
    pub config: Option<PathBuf>,
    /// State directory of a running switch, to explain by what is registered, down and under way there
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `explain media`.
#[derive(Clone, Debug, Args)]
pub struct ExplainMediaArgs {
    /// Who calls: a phone's user or a gateway's name; phone: or gateway: before it where it could be both
    #[arg(long, value_name = "ENDPOINT")]
    pub caller: String,
    /// Who is called: the same
    #[arg(long, value_name = "ENDPOINT")]
    pub callee: String,
    /// Where the caller's packets come from; without it where it is registered, or the gateway's own address
    #[arg(long, value_name = "IP")]
    pub caller_source: Option<IpAddr>,
    /// Where the callee's packets come from
    #[arg(long, value_name = "IP")]
    pub callee_source: Option<IpAddr>,
    /// An address translator stands before the caller
    #[arg(long)]
    pub caller_nat: bool,
    /// An address translator stands before the callee
    #[arg(long)]
    pub callee_nat: bool,
    /// By what, and how it is printed.
    #[command(flatten)]
    pub by: ExplainBy,
}

/// Arguments of `explain route`.
#[derive(Clone, Debug, Args)]
pub struct ExplainRouteArgs {
    /// Who calls: a phone's user, or a mapping gateway's name; phone: or gateway: before it where it could be both
    #[arg(long, value_name = "ENDPOINT")]
    pub caller: String,
    /// The calling number; without it that of the phone, or none
    #[arg(long, value_name = "NUMBER")]
    pub caller_number: Option<String>,
    /// The number that is called
    #[arg(long, value_name = "NUMBER")]
    pub callee: String,
    /// By what, and how it is printed.
    #[command(flatten)]
    pub by: ExplainBy,
}

/// Names a running switch.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// State directory of the running switch
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Configuration file of the running switch, where it names the state directory
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of the commands that show.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// The switch.
    #[command(flatten)]
    pub state: StateArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `calls` and `ports`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Which switch, and how to print.
    #[command(flatten)]
    pub show: ShowArgs,
    /// List at most so many entries; `status` counts them all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,
}

/// Arguments of `hangup`.
#[derive(Clone, Debug, Args)]
pub struct HangupArgs {
    /// Number of the call, as `calls` lists it
    pub call: u64,
    /// The switch.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Arguments of `cdr`.
#[derive(Clone, Debug, Args)]
pub struct CdrArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CdrCommand,
}

/// What `cdr` does.
#[derive(Clone, Debug, Subcommand)]
pub enum CdrCommand {
    /// List records, oldest first
    List {
        /// Which.
        #[command(flatten)]
        filter: CdrFilter,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one record whole
    Show {
        /// Its flow number
        flow_no: u64,
        /// The switch.
        #[command(flatten)]
        state: StateArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write records as one CSV file (`|` delimited, with header)
    Export {
        /// Which.
        #[command(flatten)]
        filter: CdrFilter,
        /// Where to; without it, to stdout
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Whose rules `firewall` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FirewallFormat {
    /// nftables.
    #[default]
    Nft,
    /// iptables and ip6tables.
    Iptables,
}

/// Arguments of `firewall`.
#[derive(Clone, Debug, Args)]
pub struct FirewallArgs {
    /// Configuration file; without it, the embedded default
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Whose rules
    #[arg(long, value_enum, default_value_t)]
    pub format: FirewallFormat,
}

/// Which records.
#[derive(Clone, Debug, Args)]
pub struct CdrFilter {
    /// The switch.
    #[command(flatten)]
    pub state: StateArgs,
    /// Only calls from this number
    #[arg(long, value_name = "NUMBER")]
    pub caller: Option<String>,
    /// Only calls to this number
    #[arg(long, value_name = "NUMBER")]
    pub callee: Option<String>,
    /// Only calls that ended for this reason
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
    /// Only calls that ended at or after this moment, in Unix milliseconds
    #[arg(long, value_name = "MS")]
    pub since_ms: Option<u64>,
    /// Only the last so many
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
}

/// The whole program: reads the command line and does what it says. `name` is that of the binary.
pub fn main(name: &'static str, drive: Drive) -> ExitCode {
    let matches = Cli::command().name(name).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let log = cli.log.log_format;
    let done = match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => {
            abort_on_panic();
            logging::start(log);
            command::run(args, drive)
        }
        Command::Demo => command::demo(drive),
        Command::Check(args) => command::check(&args),
        Command::Params(args) => command::params(&args),
        Command::Explain(args) => command::explain(&args.command),
        Command::Status(args) => command::status(&args),
        Command::Calls(args) => command::calls(&args),
        Command::Ports(args) => command::ports(&args),
        Command::Trunks(args) => command::trunks(&args),
        Command::Registrations(args) => command::registrations(&args),
        Command::Hangup(args) => command::hangup(&args),
        Command::Reload(args) => command::reload(&args),
        Command::Drain(args) => command::drain(&args),
        Command::Cdr(args) => command::cdr(args.command),
        Command::Firewall(args) => command::firewall(&args),
    };
    match done {
        Ok(()) => ExitCode::from(DONE),
        Err(text) => {
            if !text.is_empty() {
                eprintln!("{name}: {text}");
            }
            ExitCode::from(FAILED)
        }
    }
}

/// A broken invariant ends the process at once: its journals hold what is true, and half a switch serves nobody. The
/// simulator keeps running, so the build itself does not abort.
fn abort_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}
