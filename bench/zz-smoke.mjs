import { peerScenarios } from '/work/main/bench/scenarios-peers.ts'
import { formatRows } from '/work/main/bench/row.ts'
console.log(formatRows(await peerScenarios(1)))
