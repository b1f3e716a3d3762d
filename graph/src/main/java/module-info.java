/**
 * ONNX files, the graph in memory, and what rewrites it: adapters, passes, gradients, training
 * graphs. Knows no runtime.
 *
 * <p>Promised are {@link io.github.loragraph.onnx} and {@link io.github.loragraph.error}; all else
 * is for lora-graph's own modules and changes without notice.
 */
// The modules that packages are exported to are built after this one.
@SuppressWarnings("module")
module io.github.loragraph.core {
  requires com.fasterxml.jackson.annotation;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires com.google.protobuf;
  requires flatbuffers.java;
  requires jdk.unsupported; // without it protobuf copies a mapped file to the heap
  requires org.tribuo.util.onnx;
  requires static com.google.auto.service;
  requires static transitive org.jspecify;

  exports io.github.loragraph.error;
  exports io.github.loragraph.onnx;
  exports io.github.loragraph.adapter to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.artifacts to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.autodiff to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.file to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.linalg to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.lora to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.passes to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.ops to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.shape to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.training to
      io.github.loragraph.runtime,
      io.github.loragraph,
      io.github.loragraph.cli;

  // The metadata that adapters leave in a model is read and written by reflection.
  opens io.github.loragraph.lora to
      com.fasterxml.jackson.databind;
}
