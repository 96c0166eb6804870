// Does the slot show this very content, with nobody at work on it and nothing left to collect?
// mode: read
// param: slot STRING
// param: graph_id STRING
// param: content_hash STRING
// param: grace_s INTEGER how long a superseded version stays for those who still read it
// return: number INTEGER the version that it shows; no row where a publication has something to do
MATCH (slot:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion {id: $graph_id, content_hash: $content_hash})
WHERE slot.run IS NULL AND NOT EXISTS {
  MATCH (other:GraphVersion {slot: slot.key})
  WHERE other.status = 'staged'
     OR other.status = 'superseded' AND (other.superseded IS NULL OR other.superseded <= datetime.realtime() - duration({seconds: $grace_s}))
}
RETURN v.number AS number
