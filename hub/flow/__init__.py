# SPDX-License-Identifier: EUPL-1.2
"""The natural way of an announcement: accept, plan, send, settle.

`accept` what doors hand in; `planning` turns runs into deliveries; `send` is a channel's way out;
`doubt` asks the provider first; `citizens` is what people say afterwards; `keep` keeps the ledger
in good hands. `engine` holds them together (decision 22).

What officers do comes before all that: `staff` says who they are; `writing` is what they write
until it may leave; `foresight` what it would become; `office` what else their desk shows them.
"""
