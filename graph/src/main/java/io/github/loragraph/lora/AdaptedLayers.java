package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;

/** Which layers of a model the options of an injection mean; what means none is refused. */
public final class AdaptedLayers {
  private static final int MOST_SUGGESTED = 5;

  private AdaptedLayers() {}

  /**
   * What an injection does otherwise than its options say at first sight, a line each.
   *
   * @param model the one without adapters
   */
  public static List<String> notes(OnnxModel model, InjectionOptions options) {
    TargetModules asked = options.selection().modules();
    List<String> body = body(model, options).stream().map(Linear::path).toList();
    TargetModules taken = asked.among(body);
    List<String> notes = new ArrayList<>();
    if (asked instanceof TargetModules.Text text) {
      TargetModules anywhere = TargetModules.found(TargetModules.python(text.text()));
      long found = body.stream().filter(anywhere::matches).count();
      long asPeft = body.stream().filter(taken::matches).count();
      if (taken instanceof TargetModules.Found) {
        notes.add(
            "'%s' is no whole module path and no name in one, as PEFT reads it: it was taken as an expression that is found anywhere in one"
                .formatted(text.text()));
      } else if (found != asPeft && found > 0) {
        notes.add(
            "'%s' was read as PEFT reads it, which is %d layers: an expression that is found anywhere in a path would be %d"
                .formatted(text.text(), asPeft, found));
      }
    }
    for (TargetModules modules :
        options.selection().exclude() == null
            ? List.of(taken)
            : List.of(taken, options.selection().exclude())) {
      if (modules instanceof TargetModules.Names names) {
        for (String name : names.names()) {
          if (body.stream().noneMatch(TargetModules.names(List.of(name))::matches)) {
            notes.add("'%s' is the name of no layer that can be adapted".formatted(name));
          }
        }
      }
    }
    return notes;
  }

  private static List<Linear> body(OnnxModel model, InjectionOptions options) {
    return LinearFinder.find(model.graph()).stream()
        .filter(l -> !PeftAdapters.isAdapter(l.path()))
        .filter(l -> !options.head().matcher(l.path()).find())
        .toList();
  }

  /** With a selection that says what it means in this model. */
  static InjectionOptions resolved(OnnxModel model, InjectionOptions options) {
    TargetSelection asked = options.selection();
    TargetModules modules =
        asked.modules().among(body(model, options).stream().map(Linear::path).toList());
    return new InjectionOptions(
        new TargetSelection(modules, asked.exclude(), asked.layers()),
        options.ranks(),
        options.variant(),
        options.head(),
        options.seed());
  }

  /**
   * The Linears that get adapters.
   *
   * @param options resolved
   * @throws LoraGraphException if there is none, or something in the options is for none
   */
  static List<Linear> of(OnnxModel model, InjectionOptions options) {
    TargetModules modules = options.selection().modules();
    List<Linear> linears =
        LinearFinder.find(model.graph()).stream()
            .filter(l -> !PeftAdapters.isAdapter(l.path()))
            .toList();
    List<Linear> body =
        linears.stream().filter(l -> !options.head().matcher(l.path()).find()).toList();
    List<Linear> matching =
        body.stream()
            .filter(l -> l.matches(modules))
            .filter(
                l ->
                    !(modules instanceof TargetModules.AllLinear) || !makesOutput(model.graph(), l))
            .toList();
    if (!matching.isEmpty()) {
      List<Linear> targets = selected(matching, options.selection());
      List<String> unused = options.ranks().unused(targets.stream().map(Linear::path).toList());
      if (!unused.isEmpty()) {
        throw new LoraGraphException(
            "the pattern '%s' is for no adapted layer; those are %s"
                .formatted(unused.get(0), shortened(targets.stream().map(Linear::path).toList())));
      }
      return targets;
    }
    List<UnrecognisedLayer> unrecognised = UnrecognisedLayer.find(model);
    List<UnrecognisedLayer> matched =
        unrecognised.stream().filter(l -> l.matches(modules.expression())).toList();
    if (!matched.isEmpty()) {
      String none =
          "%s matches no layer that can be adapted: %s".formatted(modules, matched.get(0));
      int more = matched.size() - 1;
      throw more == 0
          ? new LoraGraphException(none)
          : new LoraGraphException("%s (and %d more)".formatted(none, more), Remedy.LIST_LAYERS);
    }
    if (linears.isEmpty() && !unrecognised.isEmpty()) {
      throw new LoraGraphException(
          "the model has no Linear layers to adapt, but %d of another form, as %s"
              .formatted(unrecognised.size(), unrecognised.get(0)));
    }
    if (linears.isEmpty()) {
      throw new LoraGraphException(
          "the model has no Linear layers (MatMul or Gemm with a constant weight) to adapt");
    }
    if (linears.stream().anyMatch(l -> l.matches(modules))) {
      throw new LoraGraphException(
          "%s matches the head only, which is trained in full and not adapted: choose other layers"
              .formatted(modules));
    }
    if (body.isEmpty()) {
      throw new LoraGraphException(
          "the model has no Linear layers besides its head (%s), which is trained in full and not adapted%s"
              .formatted(
                  shortened(linears.stream().map(Linear::path).toList()),
                  unrecognised.isEmpty()
                      ? ""
                      : ", and layers of another form, as " + unrecognised.get(0)));
    }
    throw new LoraGraphException(
        "%s matches no Linear layer; the nearest are %s"
            .formatted(
                modules,
                String.join(
                    ", ",
                    NearestPaths.of(
                        modules.words(),
                        body.stream().map(Linear::path).toList(),
                        MOST_SUGGESTED))),
        Remedy.LIST_LAYERS);
  }

  /** Whether what a layer makes is an output of the model, as of a language model's head. */
  private static boolean makesOutput(Graph graph, Linear linear) {
    for (Linear.Site site : linear.sites()) {
      String value = site.output();
      while (!graph.isOutput(value)) {
        List<Node> readers = graph.consumers(value);
        if (readers.size() != 1 || !(readers.get(0).is("Cast") || readers.get(0).is("Identity"))) {
          return false;
        }
        value = readers.get(0).output(0);
      }
    }
    return true;
  }

  /** Those that are not excluded, in the layers that are meant; what means none is refused. */
  private static List<Linear> selected(List<Linear> matching, TargetSelection selection) {
    TargetModules exclude = selection.exclude();
    List<Linear> kept = matching;
    if (exclude != null) {
      kept = matching.stream().filter(l -> !l.matches(exclude)).toList();
      if (kept.size() == matching.size()) {
        throw new LoraGraphException(
            "%s excludes none of the %d layers that %s matches, as %s"
                .formatted(exclude, matching.size(), selection.modules(), matching.get(0).path()),
            Remedy.LIST_LAYERS);
      }
      if (kept.isEmpty()) {
        throw new LoraGraphException(
            "%s excludes all of the %d layers that %s matches"
                .formatted(exclude, matching.size(), selection.modules()));
      }
    }
    LayerIndexes layers = selection.layers();
    if (layers == null) {
      return kept;
    }
    NavigableSet<Integer> there = new TreeSet<>();
    kept.forEach(l -> layers.indexIn(l.path()).ifPresent(there::add));
    for (int index : layers.indexes()) {
      if (!there.contains(index)) {
        throw new LoraGraphException(
            there.isEmpty()
                ? "none of the %d layers that %s matches has a number in its path, as %s"
                    .formatted(kept.size(), selection.modules(), kept.get(0).path())
                : "%s matches nothing in layer %d: it does in the layers %s"
                    .formatted(
                        selection.modules(),
                        index,
                        shortened(there.stream().map(String::valueOf).toList())));
      }
    }
    return kept.stream().filter(l -> layers.matches(l.path())).toList();
  }

  private static String shortened(List<String> names) {
    int most = Math.min(MOST_SUGGESTED, names.size());
    String first = String.join(", ", names.subList(0, most));
    return names.size() == most ? first : first + " and %d more".formatted(names.size() - most);
  }
}
