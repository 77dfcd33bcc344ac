"""The faults, in the order of the table."""

from socialsupport_core.testing.torture.fault import Fault
from socialsupport_core.testing.torture.faults.clock import ClockSteps
from socialsupport_core.testing.torture.faults.forged import Forged
from socialsupport_core.testing.torture.faults.full import DiskFull, FailingWrites
from socialsupport_core.testing.torture.faults.kill_opcode import KillOpcode
from socialsupport_core.testing.torture.faults.kill_outside import KillOutside
from socialsupport_core.testing.torture.faults.network_drop import NetworkDrop
from socialsupport_core.testing.torture.faults.one_bad_event import OneBadEvent
from socialsupport_core.testing.torture.faults.order import Order
from socialsupport_core.testing.torture.faults.poison import Poison
from socialsupport_core.testing.torture.faults.power_cut import PowerCutFault
from socialsupport_core.testing.torture.faults.proofs import Proofs
from socialsupport_core.testing.torture.faults.redelivery import Redelivery
from socialsupport_core.testing.torture.faults.server_restart import ServerRestart
from socialsupport_core.testing.torture.faults.workers import SeveralWorkers

FAULTS: dict[str, type[Fault]] = {
    one.name: one
    for one in (
        KillOpcode,
        KillOutside,
        Redelivery,
        ServerRestart,
        SeveralWorkers,
        Order,
        PowerCutFault,
        DiskFull,
        FailingWrites,
        NetworkDrop,
        ClockSteps,
        OneBadEvent,
        Poison,
        Forged,
        Proofs,
    )
}
