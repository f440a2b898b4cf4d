"""Background noise: how loud it is under speech, and speech with less of it."""
