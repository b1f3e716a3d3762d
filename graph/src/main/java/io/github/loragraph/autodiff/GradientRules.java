package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.Node;
import java.util.Collection;
import java.util.Collections;
import java.util.NavigableMap;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The registry: every rule on the class path, found under its operator's name. */
public final class GradientRules {
  private final NavigableMap<String, GradientRule> rules = new TreeMap<>();

  private GradientRules() {}

  /**
   * All rules that announce themselves as services.
   *
   * @throws IllegalStateException if two rules are for the same operator
   */
  public static GradientRules load() {
    GradientRules registry = new GradientRules();
    for (GradientRule rule :
        ServiceLoader.load(GradientRule.class, GradientRule.class.getClassLoader())) {
      GradientRule other = registry.rules.put(key(rule.domain(), rule.operator()), rule);
      if (other != null) {
        throw new IllegalStateException("two gradient rules for " + rule.operator());
      }
    }
    return registry;
  }

  /** The rule for a node's operator, or null. */
  public GradientRule rule(Node node) {
    return rules.get(key(node.domain(), node.opType()));
  }

  /** The operators that have a rule, sorted; those of other domains with the domain before them. */
  public Collection<String> operators() {
    return Collections.unmodifiableSet(rules.keySet());
  }

  private static String key(String domain, String operator) {
    return domain.isEmpty() ? operator : domain + "." + operator;
  }
}
