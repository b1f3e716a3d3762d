package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.Node;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The registry: every rule on the class path, found under its operator's name. */
public final class GradientRules {
  private final NavigableMap<String, GradientRule> rules = new TreeMap<>();

  private GradientRules() {}

  /**
   * All standard rules that announce themselves as services.
   *
   * @throws IllegalStateException if two rules are for the same operator
   */
  public static GradientRules load() {
    return load(Kernels.STANDARD);
  }

  /**
   * All rules that announce themselves as services and need no other kernels than the given ones;
   * those over fused kernels go before the standard ones.
   *
   * @throws IllegalStateException if two rules are for the same operator and the same kernels
   */
  public static GradientRules load(Kernels kernels) {
    Map<Kernels, Map<String, GradientRule>> found = new EnumMap<>(Kernels.class);
    for (GradientRule rule :
        ServiceLoader.load(GradientRule.class, GradientRule.class.getClassLoader())) {
      GradientRule other =
          found
              .computeIfAbsent(rule.kernels(), k -> new TreeMap<>())
              .put(key(rule.domain(), rule.operator()), rule);
      if (other != null) {
        throw new IllegalStateException("two gradient rules for " + rule.operator());
      }
    }
    GradientRules registry = new GradientRules();
    registry.rules.putAll(found.getOrDefault(Kernels.STANDARD, Map.of()));
    if (kernels != Kernels.STANDARD) {
      found
          .getOrDefault(kernels, Map.of())
          .forEach(
              (key, rule) ->
                  registry.rules.merge(
                      key, rule, (standard, fused) -> new PreferredRule(fused, standard)));
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
