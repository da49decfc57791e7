"""Prints the results of bench/compare.sh as Markdown: medians of the rounds, and Crosspoint's share of Kamailio's.

Usage: table.py RESULTS_FOLDER
"""
import glob, json, os, statistics, sys

folder = sys.argv[1]
# which Crosspoint server does the same work as which Kamailio
PEERS = {
    "signalling": [("calls through a static route", "crosspoint-static", "kamailio-proxy"),
                   ("calls with digest, to registered phones", "crosspoint-registrar", "kamailio-registrar")],
    "register": [("registrations with digest", "crosspoint-registrar", "kamailio-registrar")],
}


def load(name):
    with open(os.path.join(folder, name + ".json")) as file:
        return json.load(file)


def rounds(kind, server):
    names = sorted(glob.glob(os.path.join(folder, f"{kind}-{server}-[0-9]*.json")))
    return [run for name in names for run in load(os.path.basename(name)[:-5])["runs"]]


def cpu(runs, rate):
    return statistics.median(run["cpu_s_per_1000"] for run in runs if run["rate"] == rate and run["cpu_s_per_1000"] is not None)


def faults(runs, rate):
    runs = [run for run in runs if run["rate"] == rate]
    failed = sum(run["offered"] - run["ok"] for run in runs)
    resent = sum(run.get("retrans", 0) + run.get("retrans_uac", 0) + run.get("retrans_uas", 0) for run in runs)
    return f"{failed}/{resent}"


print("| work | per second | Crosspoint | Kamailio | Kamailio `-x fm -X fm` | ratio | ratio fm | failed/resent |")
print("|---|---|---|---|---|---|---|---|")
for kind, pairs in PEERS.items():
    for work, ours, theirs in pairs:
        runs = [rounds(kind, server) for server in (ours, theirs, theirs + "-fm")]
        for rate in sorted({run["rate"] for run in runs[0]}):
            own, default, fm = (cpu(some, rate) for some in runs)
            bad = ", ".join(faults(some, rate) for some in runs)
            print(f"| {work} | {rate} | {own:.3f} | {default:.3f} | {fm:.3f} | {own / default:.2f} | {own / fm:.2f} | {bad} |")
print("\nCPU seconds for 1,000 calls or registrations; failed and sent again as Crosspoint, Kamailio, Kamailio fm.")
for name in sorted(glob.glob(os.path.join(folder, "memory-*.json"))):
    result = load(os.path.basename(name)[:-5])
    kib = result["mem"][0]["kb_per_user"]
    print(f"\n{result['server']}: {result['users']} registered phones at {round(kib * 1024)} bytes each (growth of PSS).")
