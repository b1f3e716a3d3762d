/**
 * ONNX Runtime: sessions, engines, the training loop, evaluation, data and tokenization. Nothing of
 * it is promised: it is for lora-graph's own modules and changes without notice.
 */
// The modules that packages are exported to are built after this one.
@SuppressWarnings("module")
module io.github.loragraph.runtime {
  requires ai.djl.api;
  requires ai.djl.tokenizers;
  requires aircompressor;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.dataformat.yaml;
  requires com.google.protobuf;
  requires com.microsoft.onnxruntime;
  requires de.siegmar.fastcsv;
  requires io.github.loragraph.core;
  requires org.slf4j;
  requires static org.jspecify;

  exports io.github.loragraph.cache to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.cuda to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.data to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.embedding to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.engine to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.evaluation to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.fewshot to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.ort to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.retrieval to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.task to
      io.github.loragraph,
      io.github.loragraph.cli;
  exports io.github.loragraph.trainer to
      io.github.loragraph,
      io.github.loragraph.cli;
}
