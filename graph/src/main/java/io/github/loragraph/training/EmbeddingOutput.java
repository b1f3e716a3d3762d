package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.passes.TypedModel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The output of an encoder that embeddings are made of: vectors of texts, or those of tokens.
 *
 * @param name of the output
 * @param type of it, as declared and inferred; of a known last axis
 * @param tokens the name of the output of token states; empty where there is none
 * @param notes what is worth saying of the choice
 */
record EmbeddingOutput(String name, TensorType type, Optional<String> tokens, List<String> notes) {
  /** Exporters of sentence-transformers call its outputs so. */
  private static final String EMBEDDING = "sentence_embedding";

  private static final Set<String> TOKENS = Set.of("token_embeddings", "last_hidden_state");

  /** Hugging Face's name for what BERT's pooler makes of the first token. */
  private static final String POOLER = "pooler_output";

  private static final int MOST_NAMED = 6;

  /** Pooling, a dense layer and a normalization are no longer. */
  private static final int MOST_VISITED = 40;

  EmbeddingOutput {
    notes = List.copyOf(notes);
  }

  private record Candidate(String name, TensorType type) {
    int rank() {
      return type.requireShape().rank();
    }

    @Override
    public String toString() {
      return "'%s' %s".formatted(name, type.shape());
    }
  }

  /**
   * Finds it.
   *
   * @throws LoraGraphException if there is none, or several
   */
  static EmbeddingOutput of(TypedModel typed) {
    OnnxModel model = typed.model();
    Graph graph = model.graph();
    List<Candidate> all = candidates(typed);
    Optional<String> tokens =
        all.stream().filter(c -> isTokens(graph, c)).map(Candidate::name).findFirst();
    String chosen = chosen(model);
    if (chosen != null) {
      Candidate candidate =
          all.stream()
              .filter(c -> c.name().equals(chosen))
              .findFirst()
              .orElseThrow(
                  () ->
                      new LoraGraphException(
                          "'%s' is no embedding, (batch, dimension) or (batch, sequence, dimension) of floating-point numbers with a known dimension"
                              .formatted(chosen),
                          Remedy.NAME_OTHER_OUTPUT));
      return new EmbeddingOutput(chosen, candidate.type(), tokens, List.of());
    }
    List<Candidate> pooled =
        all.stream()
            .filter(c -> c.rank() == 2)
            .filter(c -> c.name().equals(EMBEDDING) || EncoderStates.contain(graph, c.name()))
            .toList();
    List<Candidate> poolers = pooled.stream().filter(c -> isPooler(graph, c)).toList();
    List<Candidate> texts =
        withoutSteps(graph, pooled.stream().filter(c -> !poolers.contains(c)).toList());
    if (texts.size() > 1) {
      List<Candidate> named = texts.stream().filter(c -> c.name().equals(EMBEDDING)).toList();
      texts = named.isEmpty() ? texts : named;
    }
    if (texts.isEmpty()) {
      texts = withoutSteps(graph, all.stream().filter(c -> isTokens(graph, c)).toList());
      if (texts.size() > 1) {
        List<Candidate> named = texts.stream().filter(c -> TOKENS.contains(c.name())).toList();
        texts = named.isEmpty() ? texts : named;
      }
    }
    if (texts.isEmpty()) {
      texts = poolers;
    }
    if (texts.size() != 1) {
      throw texts.isEmpty() ? none(all, graph) : several(texts);
    }
    Candidate found = texts.get(0);
    List<String> notes = new ArrayList<>();
    if (poolers.contains(found)) {
      notes.add(
          "%s is what a pooler makes of the first token, which is rarely trained to be an embedding; the model has no other output to make one of"
              .formatted(found));
    } else if (graph.outputs().size() > 1) {
      notes.add(
          "of the model's %d outputs %s is what embeddings are made of"
              .formatted(graph.outputs().size(), found));
    }
    return new EmbeddingOutput(found.name(), found.type(), tokens, notes);
  }

  private static @Nullable String chosen(OnnxModel model) {
    String plain = model.metadata().get(Logits.PLAIN);
    if (plain != null && model.graph().isOutput(plain)) {
      return plain;
    }
    String chosen = model.metadata().get(Logits.CHOSEN);
    return chosen != null && model.graph().isOutput(chosen) ? chosen : null;
  }

  private static List<Candidate> candidates(TypedModel typed) {
    OutputTypes types = new OutputTypes(typed);
    List<Candidate> found = new ArrayList<>();
    for (ValueInfo output : typed.graph().outputs()) {
      if (!types.isFloatingPoint(output)) {
        continue;
      }
      TensorType type = types.joined(output, output.name());
      int rank = type.shape() == null ? 0 : type.shape().rank();
      if ((rank == 2 || rank == 3) && type.requireShape().dimension(-1).isKnown()) {
        found.add(new Candidate(output.name(), type));
      }
    }
    return found;
  }

  private static boolean isTokens(Graph graph, Candidate c) {
    return c.rank() == 3 && (TOKENS.contains(c.name()) || EncoderStates.contain(graph, c.name()));
  }

  /** Without those that others are computed from. */
  private static List<Candidate> withoutSteps(Graph graph, List<Candidate> found) {
    List<Candidate> kept = new ArrayList<>(found);
    for (Candidate one : found) {
      Set<String> below = AnswerSearch.below(graph, one.name());
      kept.removeIf(other -> other != one && below.contains(other.name()));
    }
    return kept;
  }

  /** A hyperbolic tangent of a layer on the first token, with nothing behind it. */
  private static boolean isPooler(Graph graph, Candidate c) {
    if (c.name().equals(EMBEDDING)) {
      return false;
    }
    Node node = graph.producer(c.name());
    while (node != null && (node.is("Identity") || node.is("Cast"))) {
      node = graph.producer(node.input(0));
    }
    return c.name().equals(POOLER)
        || (node != null
            && node.is("Tanh")
            && pooling(graph, node.input(0)).equals(Optional.of(Pooling.CLS)));
  }

  /** How a value of a vector for each text was pooled, as far as the nodes before it tell. */
  static Optional<Pooling> pooling(Graph graph, String value) {
    return pooling(graph, value, new HashSet<>());
  }

  private static Optional<Pooling> pooling(Graph graph, String value, Set<String> seen) {
    Node node = graph.producer(value);
    if (node == null || seen.size() > MOST_VISITED || !seen.add(value)) {
      return Optional.empty();
    }
    if (node.is("Gather")) {
      Tensor index = graph.constant(node.input(1));
      return index != null && index.elementCount() == 1 && node.attribute("axis", 0L) == 1
          ? place(index.toLongs()[0])
          : Optional.empty();
    }
    if (node.is("Slice")) {
      Tensor start = node.hasInput(1) ? graph.constant(node.input(1)) : null;
      return start != null && start.elementCount() == 1
          ? place(start.toLongs()[0])
          : Optional.empty();
    }
    if (node.is("ReduceMax")) {
      return overTokens(graph, node) ? Optional.of(Pooling.MAX) : Optional.empty();
    }
    if (node.is("ReduceSum") || node.is("ReduceMean")) {
      return overTokens(graph, node) ? Optional.of(Pooling.MEAN) : Optional.empty();
    }
    Operators operators = Operators.all();
    if (node.is("Mul") || node.is("Add") || operators.has(node, Trait.MATRIX_PRODUCT)) {
      for (String input : node.inputs()) {
        Optional<Pooling> found = input.isEmpty() ? Optional.empty() : pooling(graph, input, seen);
        if (found.isPresent()) {
          return found;
        }
      }
      return Optional.empty();
    }
    boolean passes =
        node.is("Div")
            || operators.has(node, Trait.KEEPS_ENTRIES)
            || operators.has(node, Trait.KEEPS_SHAPE)
            || operators.has(node, Trait.NORMALIZATION);
    return passes ? pooling(graph, node.input(0), seen) : Optional.empty();
  }

  private static Optional<Pooling> place(long index) {
    return index == 0
        ? Optional.of(Pooling.CLS)
        : index == -1 ? Optional.of(Pooling.LASTTOKEN) : Optional.empty();
  }

  private static boolean overTokens(Graph graph, Node reduction) {
    long[] axes = UnitLength.axes(graph, reduction);
    return axes != null && axes.length == 1 && (axes[0] == 1 || axes[0] == -2);
  }

  private static LoraGraphException several(List<Candidate> found) {
    return new LoraGraphException(
        "%d outputs of the model could be its embedding (%s)"
            .formatted(found.size(), described(found)),
        Remedy.NAME_OUTPUT);
  }

  private static LoraGraphException none(List<Candidate> all, Graph graph) {
    if (all.isEmpty()) {
      return new LoraGraphException(
          "the model has no embeddings, (batch, dimension) or (batch, sequence, dimension) with a known dimension: its outputs are %s"
              .formatted(AnswerSearch.names(graph)));
    }
    return new LoraGraphException(
        "the model answers with what a head makes, not with states of an encoder (%s): if one is an embedding nevertheless, it has to be named"
            .formatted(described(all)),
        Remedy.NAME_OUTPUT);
  }

  private static String described(List<Candidate> candidates) {
    String named =
        candidates.stream()
            .limit(MOST_NAMED)
            .map(Candidate::toString)
            .collect(Collectors.joining(", "));
    int more = candidates.size() - MOST_NAMED;
    return more > 0 ? "%s and %d more".formatted(named, more) : named;
  }
}
