"""The budgets, measured: each figure against its peer in the same run.

make bench                      all rows
python -m tests.benchmarks wire only the rows of one module
"""
