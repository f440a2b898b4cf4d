"""Turn detectors: has somebody who pauses finished what they say?"""
