package io.github.loragraph.check;

import io.github.loragraph.ort.Sessions;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The numbers of one fixture on the device against PyTorch's.
 *
 * @param differences by what was compared
 */
record OracleCheck(String fixture, Map<String, Difference> differences) {
  /** What a GPU, which adds in another order, may be off by. */
  static final double TOLERANCE = 1e-4;

  static OracleCheck of(String fixture, Sessions sessions) {
    OracleDifferences oracle = new OracleDifferences(Oracle.of(fixture), sessions);
    Map<String, Difference> differences = new LinkedHashMap<>();
    differences.put("logits", oracle.baseLogits().or(oracle.adaptedLogits()));
    OracleDifferences.Gradients adapters = oracle.adapterGradients();
    OracleDifferences.Gradients all = oracle.fullGradients();
    differences.put("loss", adapters.loss().or(all.loss()));
    differences.put("gradients", adapters.gradients().or(all.gradients()));
    OracleDifferences.Training training = oracle.training();
    differences.put("20 steps", training.curve().or(training.afterOneStep()).or(training.last()));
    OracleDifferences.Merged merged = oracle.merged();
    differences.put(
        "merged",
        merged.weights().or(merged.logits()).or(training.merged()).or(training.mergedLogits()));
    return new OracleCheck(fixture, differences);
  }

  Difference largest() {
    return differences.values().stream().reduce(Difference.NONE, Difference::or);
  }

  boolean passes() {
    return largest().isWithin(TOLERANCE);
  }
}
