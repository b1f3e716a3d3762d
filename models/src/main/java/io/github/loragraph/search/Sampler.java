package io.github.loragraph.search;

import java.util.List;
import java.util.Map;

/** Proposes the parameters of trials. */
public interface Sampler {
  /**
   * The parameters of the next trial. The same arguments give the same answer.
   *
   * @param before all trials that were begun before, in their order, with what is known of them
   */
  Map<String, Object> propose(List<TrialResult> before);
}
