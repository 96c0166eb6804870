// Makes the key of a ROI unique: version number|ROI name.
// mode: schema
CREATE CONSTRAINT roi_key IF NOT EXISTS FOR (n:ROI) REQUIRE n.key IS UNIQUE
