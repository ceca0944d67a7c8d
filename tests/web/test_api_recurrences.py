# SPDX-License-Identifier: EUPL-1.2
"""What comes again, over the API: accepted as a submission, listed, stopped by who may."""


async def test_it_is_accepted_listed_and_stopped(door, news):
    key = await door.key()
    rule = {"every": "day", "at": "07:30", "count": 10, "valid_hours": 4}
    posted = await door.post(key, news | {"repeat": rule})
    assert posted.status == 202
    assert posted.json["state"] == "scheduled"
    code = posted.json["id"]
    base = "/api/v1/recurrences"
    headers = {"Authorization": f"Bearer {key}"}
    (found,) = (await door.ask("GET", base, headers=headers)).json["recurrences"]
    assert found["id"] == code
    assert found["repeat"]["at"] == "07:30"
    assert found["next"] > posted.json["publish_at"]
    ended = await door.ask("POST", f"{base}/{code}/stop", headers=headers)
    assert (ended.status, ended.json["next"]) == (200, None)
    assert (await door.with_key(key, "GET", code)).json["state"] == "cancelled"
    gone = await door.ask("POST", f"{base}/zzzzzz/stop", headers=headers)
    assert gone.status == 404


async def test_who_may_not_publish_stops_nothing(door, news):
    key, other = await door.key(), await door.key("other", may_publish=False)
    code = (await door.post(key, news | {"repeat": {"every": "day"}})).json["id"]
    headers = {"Authorization": f"Bearer {other}"}
    refused = await door.ask("POST", f"/api/v1/recurrences/{code}/stop", headers=headers)
    assert refused.status == 403
