# Made the R values in test_stats_reference.py (base R >= 4 and lme4). R is not needed to run the tests.
print(p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm"), digits = 7)
print(power.t.test(n = 20, delta = 1, sd = 1)$power, digits = 7)      # example of ?power.t.test
print(power.t.test(power = 0.90, delta = 1)$n, digits = 7)            # the same page
print(mad(c(1, 2, 3, 4, 100)), digits = 5)
library(lme4)                                                         # Dyestuff: Davies (1947), table 6.3
print(VarCorr(lmer(Yield ~ 1 + (1 | Batch), Dyestuff)), comp = "Variance")
