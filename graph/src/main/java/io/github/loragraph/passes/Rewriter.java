package io.github.loragraph.passes;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Applies rules to a graph until none applies any more. */
final class Rewriter implements Pass {
  /** Far more than any model takes; more means that a rule undoes another. */
  private static final int MOST_ROUNDS = 1000;

  private final List<RewriteRule> rules;

  /**
   * @param rules in the order in which they are tried: each one as long as it applies
   */
  Rewriter(List<RewriteRule> rules) {
    this.rules = List.copyOf(rules);
  }

  Rewriter(RewriteRule... rules) {
    this(List.of(rules));
  }

  /** A model in which no rule applies; the same one where none did from the beginning. */
  @Override
  public Result apply(TypedModel model, Set<String> trainable) {
    Map<String, Integer> recognised = new LinkedHashMap<>();
    rules.forEach(rule -> recognised.put(rule.name(), 0));
    MatchContext context = MatchContext.of(model, trainable);
    int rounds = 0;
    boolean changed = true;
    while (changed) {
      changed = false;
      for (RewriteRule rule : rules) {
        Map<Node, Consumer<RewriteBuilder>> matches = matches(rule, context);
        while (!matches.isEmpty()) {
          if (++rounds > MOST_ROUNDS) {
            throw new IllegalStateException("rule " + rule.name() + " comes to no end");
          }
          changed = true;
          recognised.merge(rule.name(), matches.size(), Integer::sum);
          context = context.with(rewritten(context.graph(), matches));
          matches = matches(rule, context);
        }
      }
    }
    boolean same = context.graph() == model.graph();
    return new Result(
        same ? model : model.with(model.model().withGraph(context.graph())), recognised);
  }

  private static Map<Node, Consumer<RewriteBuilder>> matches(
      RewriteRule rule, MatchContext context) {
    Map<Node, Consumer<RewriteBuilder>> matches = new HashMap<>();
    for (Node node : context.graph().nodes()) {
      Consumer<RewriteBuilder> match = node.domain().isEmpty() ? rule.match(node, context) : null;
      if (match != null) {
        matches.put(node, match);
      }
    }
    return matches;
  }

  private static Graph rewritten(Graph graph, Map<Node, Consumer<RewriteBuilder>> matches) {
    RewriteBuilder builder = new RewriteBuilder(graph);
    for (Node node : graph.nodes()) {
      Consumer<RewriteBuilder> match = matches.get(node);
      builder.enter(node);
      if (match == null) {
        builder.keep(node);
      } else {
        match.accept(builder);
      }
    }
    return builder.finish();
  }
}
