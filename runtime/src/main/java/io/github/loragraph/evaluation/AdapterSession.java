package io.github.loragraph.evaluation;

import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.AdapterNaming;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.ActiveAdapter;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model that answers with an adapter or without one, by one session. Which layers may be adapted
 * is in the session's graph: for an adapter of further layers there is another session over the
 * same weights, and the old one goes when its last call is done. Any number of threads may ask at
 * once; its maker closes it when they are done.
 */
public final class AdapterSession implements AutoCloseable {
  private final EvaluationGraph graph;
  private final Sessions sessions;
  private final Weights weights = new Weights();

  /** Held by whoever makes a session; guards what the newest one takes. */
  private final Object building = new Object();

  private final Set<String> paths = new LinkedHashSet<>();
  private final Set<String> parameters = new LinkedHashSet<>();

  /** What the model is declared as, by the number of its classes. */
  private final Map<Integer, OnnxModel> byClasses = new HashMap<>();

  /** Null before the first session. */
  private @Nullable OnnxModel model;

  /** Null before the first is needed, and when all is closed. */
  private @Nullable Current current;

  /**
   * @param answering a model without adapters that {@link Answer#answering} made
   */
  public AdapterSession(OnnxModel answering, Sessions sessions) {
    this.graph = EvaluationGraph.of(answering, Set.of());
    this.sessions = sessions;
  }

  /** A session with the calls that are at work on it. */
  private static final class Current {
    private final ModelSession session;
    private int calls;
    private boolean replaced;

    Current(ModelSession session) {
      this.session = session;
    }
  }

  /**
   * Makes room for an adapter.
   *
   * @return how many classes it answers; empty where that stays what the model has
   * @throws io.github.loragraph.error.LoraGraphException if it does not fit the model
   */
  public OptionalInt allow(OnnxAdapter adapter) {
    // A session takes its time: who is at work with the one before does not wait for it.
    synchronized (building) {
      Set<String> allPaths = new LinkedHashSet<>(paths);
      Set<String> allParameters = new LinkedHashSet<>(parameters);
      boolean more = allPaths.addAll(adapter.adaptedPaths());
      more |= allParameters.addAll(adapter.wholeParameters());
      OnnxModel wider = more || model == null ? base(allPaths, allParameters) : model;
      AdapterInputs.requireFitting(wider, adapter);
      if (wider != model) {
        replace(new Current(session(wider)));
        model = wider;
        paths.addAll(allPaths);
        parameters.addAll(allParameters);
      }
      return AdapterInputs.classes(wider, adapter);
    }
  }

  private OnnxModel base(Set<String> adapted, Set<String> whole) {
    return AdapterInputs.base(graph.model(), adapted, whole, AdapterNaming.LORA_GRAPH);
  }

  private ModelSession session(OnnxModel base) {
    return new ModelSession(new EvaluationGraph(base, graph.logits()), sessions, weights, Map::of);
  }

  /**
   * The model as it is declared with an adapter of so many classes; the same each time.
   *
   * @param classes what {@link #allow} has said
   */
  public OnnxModel withClasses(int classes) {
    synchronized (building) {
      OnnxModel newest = model == null ? graph.model() : model;
      return byClasses.computeIfAbsent(classes, n -> AdapterInputs.withClasses(newest, n));
    }
  }

  /** A session without room for any adapter, where there is none yet. */
  private void requireSession() {
    if (!hasSession()) {
      synchronized (building) {
        if (!hasSession()) {
          OnnxModel plain = base(Set.of(), Set.of());
          replace(new Current(session(plain)));
          model = plain;
        }
      }
    }
  }

  private synchronized boolean hasSession() {
    return current != null;
  }

  private synchronized void replace(Current next) {
    Current old = current;
    current = next;
    if (old != null) {
      old.replaced = true;
      closeIfDone(old);
    }
  }

  /**
   * The logits of a batch.
   *
   * @param adapter one that this was made room for; null for none
   */
  public float[][] logits(List<HostTensor> batch, @Nullable ActiveAdapter adapter) {
    requireSession();
    Current own = begin();
    try {
      return own.session.logits(batch, adapter);
    } finally {
      end(own);
    }
  }

  private synchronized Current begin() {
    Current own = current;
    if (own == null) {
      throw new IllegalStateException("the session is closed");
    }
    own.calls++;
    return own;
  }

  private synchronized void end(Current own) {
    own.calls--;
    closeIfDone(own);
  }

  private static void closeIfDone(Current session) {
    if (session.replaced && session.calls == 0) {
      session.session.close();
    }
  }

  @Override
  public synchronized void close() {
    Current last = current;
    current = null;
    if (last != null) {
      last.session.close();
    }
    weights.close();
  }
}
