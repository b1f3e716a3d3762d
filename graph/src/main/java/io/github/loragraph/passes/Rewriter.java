package io.github.loragraph.passes;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Applies rules to a graph until none applies any more. */
final class Rewriter {
  /** Far more than any model takes; more means that a rule undoes another. */
  private static final int MOST_PASSES = 1000;

  private final List<RewriteRule> rules;

  /**
   * @param rules in the order in which they are tried: each one as long as it applies
   */
  Rewriter(List<RewriteRule> rules) {
    this.rules = List.copyOf(rules);
  }

  /**
   * A graph in which no rule applies.
   *
   * @param graph stays as it is
   * @param recognised how many times each rule applied
   */
  record Result(Graph graph, Map<String, Integer> recognised) {}

  Result apply(Subject subject) {
    Map<String, Integer> recognised = new LinkedHashMap<>();
    rules.forEach(rule -> recognised.put(rule.name(), 0));
    Graph graph = subject.graph();
    int passes = 0;
    boolean changed = true;
    while (changed) {
      changed = false;
      for (RewriteRule rule : rules) {
        Map<Node, Consumer<Rewriting>> matches =
            matches(rule, new Subject(graph, subject.types(), subject.trainable()));
        while (!matches.isEmpty()) {
          if (++passes > MOST_PASSES) {
            throw new IllegalStateException("rule " + rule.name() + " comes to no end");
          }
          changed = true;
          recognised.merge(rule.name(), matches.size(), Integer::sum);
          graph = pass(graph, matches);
          matches = matches(rule, new Subject(graph, subject.types(), subject.trainable()));
        }
      }
    }
    return new Result(graph, recognised);
  }

  private static Map<Node, Consumer<Rewriting>> matches(RewriteRule rule, Subject subject) {
    Map<Node, Consumer<Rewriting>> matches = new HashMap<>();
    for (Node node : subject.graph().nodes()) {
      Consumer<Rewriting> match = node.domain().isEmpty() ? rule.match(node, subject) : null;
      if (match != null) {
        matches.put(node, match);
      }
    }
    return matches;
  }

  private static Graph pass(Graph graph, Map<Node, Consumer<Rewriting>> matches) {
    Rewriting rewriting = new Rewriting(graph);
    for (Node node : graph.nodes()) {
      Consumer<Rewriting> match = matches.get(node);
      rewriting.enter(node);
      if (match == null) {
        rewriting.keep(node);
      } else {
        match.accept(rewriting);
      }
    }
    return rewriting.finish();
  }
}
