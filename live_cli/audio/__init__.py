"""THE SOUND: samples in, samples out. Pure: numpy and soxr, no threads, no clock."""
