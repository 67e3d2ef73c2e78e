"""What comes in: paths become sources (`discover`), sources become articles (`read`); one file per format."""
